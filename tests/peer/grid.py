"""A grid under rcmon's control: agents' databases, their bridges, upstreams that a test decides, rcmon."""

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import to_builtins

from rcmon.demo.issuing import slash_form
from rcmon.demo.pki import DemoPki, make_pki
from rcmon.model import UpdaterSettings
from tests.access.pki import Credential, proxy
from tests.bridge.bridging import TOKEN, Bridge, bridging
from tests.integration.running import Service, running, until
from tests.peer.real_agents import Databases, rounds

TEAM = "production"
REASON = "the storage is moved, ticket 4711"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Board:
    """What the site status board says; changed as a whole, since it may be asked at any moment."""

    sites: Mapping[str, tuple[str | None, int | None, int | None]]
    """By site: status and cores."""
    age: float = 0.0
    """Seconds that its rows are old."""
    whole: bytes | None = None
    """What it answers in place of its document."""

    def document(self, metric: str) -> bytes:
        """Answer for a metric."""
        if self.whole is not None:
            return self.whole
        sort = [int((time.time() - self.age) * 1000)]

        def data(name: str) -> Row:
            status, cpu, io = self.sites[name]
            if metric == "sts15min":
                return {"name": name, "prod_status": status}
            return {"name": name, "core_cpu_intensive": cpu, "core_io_intensive": io}

        hits = [{"_source": {"data": data(name)}, "sort": sort} for name in self.sites]
        return json.dumps({"responses": [{"hits": {"hits": hits}}]}).encode()


class Upstreams:
    """The site status board and WMStats on loopback: what is asked for is answered as of now."""

    def __init__(self, board: Board, agents: dict[str, str]) -> None:
        self.board, self.agents = board, agents
        """By agent: its team."""
        self.port = 0

    def reports(self) -> list[Row]:
        """Say what the agents say of themselves."""
        return [
            {
                "_id": name,
                "type": "agent_info",
                "agent": "WMAgent",
                "agent_url": name,
                "agent_team": team,
                "agent_version": "2.4.5.9",
                "timestamp": int(time.time()),
                "status": "ok",
                "drain_mode": False,
                "down_components": [],
                "down_component_detail": [],
                "disk_warning": [],
                "components": {},
                "workers": [],
            }
            for name, team in self.agents.items()
        ]

    def view(self) -> bytes:
        """Write WMStats' view."""
        rows = [{"id": one["_id"], "key": one["_id"], "value": one} for one in self.reports()]
        return json.dumps({"total_rows": len(rows), "offset": 0, "rows": rows}).encode()

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Serve for the length of the block."""
        upstreams = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
                found = re.search(r"monit_hdfs_path: (\w+)", asked)
                self._say(upstreams.board.document(found[1] if found else ""))

            def do_GET(self) -> None:
                self._say(upstreams.view())

            def _say(self, body: bytes) -> None:
                self.send_response(200)
                media = "text/html" if body.startswith(b"<") else "application/json"
                self.send_header("Content-Type", media)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()


class ControlledGrid:
    """All of it while it runs."""

    def __init__(
        self,
        service: Service,
        upstreams: Upstreams,
        databases: Databases,
        relay: tuple[str, int],
        folder: Path,
    ) -> None:
        self.service, self.upstreams, self.databases = service, upstreams, databases
        self.bridges: dict[str, Bridge] = {}
        self._relay, self._folder = relay, folder

    def settle(self, text: str) -> None:
        """Write the control file."""
        write_control(self._folder, text)

    def control(self, agent: str) -> Any:
        """Read an agent's control document; None where nothing is told."""
        status, body = self.service.curl(f"/api/agents/{agent}/control", who="operator")
        return json.loads(body) if status == 200 else None

    def controlled(self, agent: str, site: str, **values: object) -> Any:
        """Wait until an agent is told so of a site; gives the document."""

        def holds() -> Any:
            found = self.control(agent)
            if not found or found["problem"] or site not in found["sites"]:
                return None
            return found if all(found["sites"][site][key] == value for key, value in values.items()) else None

        return until(holds, f"{agent} to be told {values} of {site}: {self.control(agent)}")

    def round(self, *agents: str, only_ssb: bool = True) -> None:
        """Let unmodified updaters do a round each, through their bridges."""
        asked = []
        for agent in agents:
            team = self.upstreams.agents[agent]
            settings = UpdaterSettings(team=team, only_ssb=only_ssb)
            asked.append(
                {
                    "relay": list(self._relay),
                    "database": agent,
                    "url": f"https://127.0.0.1:{self.bridges[agent].port}/grafana/",
                    "token": f"Bearer {TOKEN}",
                    "ssb": agent,
                    "settings": to_builtins(settings),
                    "tier0": False,
                    "drain": False,
                    "reports": self.upstreams.reports(),
                }
            )
        rounds(asked)

    def operate(self, method: str, path: str, body: object = None, *fields: str) -> tuple[int, Any]:
        """Do what an operator does; gives status and document."""
        options = ["-X", method]
        for field in fields:
            options += ["-H", field]
        if body is not None:
            options += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        status, said = self.service.curl(path, *options, who="operator")
        return status, json.loads(said) if said.startswith(("{", "[")) else said


def proxy_of(pki: DemoPki, path: Path) -> Path:
    """Write a proxy of the agents' certificate: what a node often has in its place."""
    certificate = x509.load_pem_x509_certificate(pki.certificate("agent").read_bytes())
    key = load_pem_private_key(pki.key("agent").read_bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    return proxy(Credential(certificate, key)).write(path)


def write_control(folder: Path, text: str) -> None:
    """Put a control file in place whole."""
    new = folder / "control.new"
    new.write_text(text)
    new.chmod(0o600)
    new.replace(folder / "control.toml")


def configured(folder: Path, databases: Databases, upstreams: Upstreams, pki: DemoPki) -> list[str]:
    """Write the files of a service; gives its options."""
    (folder / "password").write_text(databases.server.password)
    (folder / "password").chmod(0o600)
    (folder / "monit.token").write_text("token\n")
    (folder / "monit.token").chmod(0o600)
    sources = [
        f'[[source]]\nname = "{agent}"\nkind = "wmagent"\nurl = "{databases.server.url("mysql", agent)}"\n'
        f'password_file = "password"\n[source.updater]\nteam = "{team}"\nonly_ssb = true\n'
        for agent, team in upstreams.agents.items()
    ]
    url = f"http://127.0.0.1:{upstreams.port}"
    sources += [
        f'[[source]]\nname = "ssb"\nkind = "ssb"\nurl = "{url}"\ndataset = "9475"\n',
        f'[[source]]\nname = "wmstats"\nkind = "wmstats"\nurl = "{url}/couchdb/wmstats"\n',
    ]
    (folder / "sources.toml").write_text("\n".join(sources))
    agents = json.dumps([*upstreams.agents])
    (folder / "roles.toml").write_text(
        f'[roles]\nreader = ["dn:{slash_form("reader")}"]\noperator = ["dn:{slash_form("operator")}"]\n'
        f'agent = [{{ subject = "dn:{slash_form("agent")}", agents = {agents} }}]\n'
    )
    (folder / "roles.toml").chmod(0o600)
    options = {
        "tls-cert": pki.certificate("server"), "tls-key": pki.key("server"), "tls-ca": pki.ca,
        "roles-file": folder / "roles.toml", "sources-file": folder / "sources.toml",
        "control-file": folder / "control.toml", "workers": 1, "cycle-interval": 1,
    }  # fmt: skip
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


@contextlib.contextmanager
def controlled_grid(folder: Path, databases: Databases, upstreams: Upstreams) -> Iterator[ControlledGrid]:
    """Run all of it for the length of the block: nobody is steered yet."""
    pki = make_pki(folder / "pki")
    token = folder / "token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    write_control(folder, '[control]\nmode = "observe"\n')
    with contextlib.ExitStack() as stack:
        stack.enter_context(upstreams.serving())
        relay = stack.enter_context(databases.relay())
        options = configured(folder, databases, upstreams, pki)
        service = stack.enter_context(running(folder, *options, pki=pki.directory))
        grid = ControlledGrid(service, upstreams, databases, relay, folder)
        for agent in upstreams.agents:
            own = folder / f"bridge-{agent}"
            own.mkdir()
            cert = proxy_of(pki, own / "proxy.pem")
            where = ["--url", f"https://localhost:{service.port}", "--listen", "127.0.0.1:0"]
            files = ["--cert", str(cert), "--ca", str(pki.ca), "--token-file", str(token)]
            given = [*where, *files, "--agent", agent, "--timeout", "30"]
            grid.bridges[agent] = stack.enter_context(bridging(own, given))
        yield grid
