"""What `run.py --demo` needs under STATE_DIR/demo: certificates, roles, sources and agents' databases."""

import fcntl
import json
import os
import shlex
import sqlite3
import time
from pathlib import Path

from msgspec import Struct
from sqlalchemy.engine import URL

from rcmon.demo.agents import AGENTS
from rcmon.demo.databases import ads_file, build_databases, database
from rcmon.demo.files import PRIVATE, write_atomically
from rcmon.demo.issuing import slash_form
from rcmon.demo.odd import BATCH, DRAINED, ODD_AGENTS, TWICE, OddAgent
from rcmon.demo.people import CONTROL
from rcmon.demo.pki import AUTHORITY_NAME, CLIENTS, HOSTS, SERVER, DemoPki, make_pki
from rcmon.demo.serving import DATABASE, DATASET, SECOND, listen
from rcmon.demo.simulation import Simulation
from rcmon.demo.synthetic import SyntheticSource, parse_shape, synthetic_sources
from rcmon.errors import ConfigError

SEED = "rcmon"
NOW_AND_THEN = "cric-second"
"""What the source is called that answers for a while, and then does not."""
STRANGER = "stranger"
STATUS = "/wm_resource_monitor/api/status"
_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared, not listened on
_HEADER = "# Made by run.py --demo, and made anew at its next start.\n"


class Demo(Struct, frozen=True):
    """A demo that may start. Its directory stays locked until `lock` is closed or all its processes ended."""

    directory: Path
    pki: DemoPki
    roles_file: Path
    sources_file: Path
    control_file: Path
    shape: tuple[int, int] | None
    """Sites and agents of a synthetic grid; None: the simulated agents and the testbed's."""
    lock: int
    """Descriptor of the lock; processes forked after `prepare` hold it as well."""
    upstream: int | None = None
    """Descriptor of the socket where the grid's upstreams are asked; those processes hold it too."""

    def overrides(self) -> dict[str, str]:
        """Give the values that the demo needs in place of configured ones, by field of Config.

        All that it keeps, the store too, lies in its own directory: production in the same state directory
        never goes on from a made-up grid.
        """
        return {
            "state_dir": str(self.directory),
            "tls_cert": str(self.pki.certificate(SERVER)),
            "tls_key": str(self.pki.key(SERVER)),
            "tls_ca": str(self.pki.ca),
            "roles_file": str(self.roles_file),
            "sources_file": str(self.sources_file),
        }

    def suggestions(self) -> dict[str, str]:
        """Give the values that hold where others are not configured, by field of Config."""
        return {"control_file": str(self.control_file)}

    def build(self) -> None:
        """Make the agents' databases anew, unless the grid is synthetic.

        Takes a second or two, and 12 MB that the process does not give back: best done in one that ends.
        Raises ConfigError where they cannot be written.
        """
        if self.shape is None:
            try:
                build_databases(self.directory, SEED, int(time.time()))
            except (OSError, sqlite3.Error) as error:
                raise _unusable(self.directory, error) from error

    def simulation(self) -> Simulation | None:
        """Make what moves the agents' databases; None where the grid is synthetic and moves by itself."""
        return None if self.shape else Simulation(self.directory, SEED)

    def synthetic_sources(self) -> list[SyntheticSource]:
        """Make the sources of a synthetic grid, to be polled in place of those in `sources_file`."""
        return synthetic_sources(self.shape, SEED) if self.shape else []

    def curl_line(self, host: str, port: int, client: str = "reader") -> str:
        """Write the command that asks the service for its status as one of the demo's clients."""
        bracketed = f"[{host}]" if ":" in host else host
        words = ["curl", "--cert", self.pki.certificate(client), "--key", self.pki.key(client)]
        words += ["--cacert", self.pki.ca]
        if host in _EVERYWHERE:
            bracketed = HOSTS[0]
        elif host not in HOSTS:
            # the certificate knows this machine's local names only
            words += ["--connect-to", f"{HOSTS[0]}:{port}:{bracketed}:{port}"]
            bracketed = HOSTS[0]
        words.append(f"https://{bracketed}:{port}{STATUS}")
        return shlex.join(map(str, words))


def prepare(state_dir: Path, synthetic: str | None = None) -> Demo:
    """Make certificates, roles and sources under STATE_DIR/demo, and lock that directory.

    `synthetic` is a SITESxAGENTS in place of the simulated agents. Raises ConfigError where the shape is
    wrong, another demo runs there, or the directory cannot be written.
    """
    shape = parse_shape(synthetic) if synthetic is not None else None
    directory = (state_dir / "demo").resolve()
    roles, sources = directory / "roles.toml", directory / "sources.toml"
    control = directory / "control.toml"
    try:
        for each in (state_dir, directory):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _lock(directory)
        try:
            pki = make_pki(directory / "pki")
            write_atomically(roles, _roles().encode(), PRIVATE)
            write_atomically(control, (_HEADER + ("" if shape else CONTROL)).encode(), PRIVATE)
            listener = None if shape else listen()
            write_atomically(sources, _sources(directory, listener.port if listener else None).encode())
        except BaseException:
            os.close(lock)
            raise
    except OSError as error:
        raise _unusable(directory, error) from error
    return Demo(
        directory, pki, roles, sources, control, shape, lock, listener.descriptor if listener else None
    )


def _unusable(directory: Path, error: Exception) -> ConfigError:
    """Say that the demo's directory does not do."""
    return ConfigError(f"--demo cannot write {directory}: {error}; name another --state-dir")


def _lock(directory: Path) -> int:
    """Lock the directory for as long as this process or a child of it lives."""
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ConfigError(
            f"--demo: another demo runs in {directory}; stop it, or name another --state-dir"
        ) from None
    return lock


def _roles() -> str:
    """Give each client but the stranger the role of its name, as the demo's CA issued it.

    The client `agent` may report for the first agent.
    """
    issuer = f"dn:{slash_form(AUTHORITY_NAME)}"
    agents = {"agent": f', agents = ["{AGENTS[0].name}"]'}
    lines = [_HEADER, "[roles]"]
    lines.extend(
        f'{name} = [{{ subject = "dn:{slash_form(name)}", issuer = "{issuer}"{agents.get(name, "")} }}]'
        for name in CLIENTS
        if name != STRANGER
    )
    return "\n".join(lines) + "\n"


def _sources(directory: Path, port: int | None) -> str:
    """List the agents' databases as sources, and where the grid's upstreams are asked."""
    tables: list[dict[str, str | float]] = []
    agents = [(agent.name, agent) for agent in (*AGENTS, *ODD_AGENTS)]
    for name, agent in (*agents, (TWICE, DRAINED)):
        url = URL.create("sqlite", database=str(database(directory, agent))).render_as_string()
        tables.append({"name": name, "kind": "wmagent", "url": url})
        if isinstance(agent, OddAgent) and agent.most is not None:
            tables[-1]["submitter.max_jobs_per_owner"] = agent.most
    if port is not None:
        url = f"http://127.0.0.1:{port}"
        tables.append({"name": "ssb", "kind": "ssb", "url": url, "dataset": DATASET})
        tables.append({"name": "ssb-second", "kind": "ssb", "url": url, "dataset": SECOND})
        tables.append({"name": "cric", "kind": "cric", "url": url})
        tables.append({"name": NOW_AND_THEN, "kind": "cric", "url": f"{url}/{SECOND}"})
        tables.append({"name": "wmstats", "kind": "wmstats", "url": url + DATABASE})
        for agent in AGENTS:
            ads = str(ads_file(directory, agent.name))
            tables.append({"name": f"{agent.name}-jobs", "kind": "condor", "file": ads, "agent": agent.name})
        tables.append({"name": BATCH, "kind": "condor", "file": str(ads_file(directory, BATCH))})
    lines = [_HEADER]
    for table in tables:
        lines += ["[[source]]", *(f"{key} = {json.dumps(value)}" for key, value in table.items()), ""]
    return "\n".join(lines)
