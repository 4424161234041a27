"""Several whole services that share one PostgreSQL."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg

from tests.integration.running import Service, children, running
from tests.servers import Server


def url_of(server: Server, port: int | None = None) -> str:
    """Write the URL of a server's database, with its password; `port`: of a way to it."""
    return f"postgresql://{server.user}:{server.password}@127.0.0.1:{port or server.port}/postgres"


def ask(server: Server, question: str, *values: Any) -> list[Any]:
    """Ask the database; gives its rows."""

    async def asked() -> list[Any]:
        connection = await asyncpg.connect(url_of(server))
        try:
            return list(await connection.fetch(question, *values))
        finally:
            await connection.close()

    return asyncio.run(asked())


def newest(server: Server) -> int:
    """Give the number of the newest snapshot; 0: there is none."""
    return int(ask(server, "SELECT coalesce(max(id), 0) FROM snapshot")[0][0])


def holder(server: Server) -> str:
    """Give the term of the one that has the lease; empty: nobody has."""
    lasts = "SELECT holder FROM lease WHERE expires > extract(epoch FROM clock_timestamp())"
    found = ask(server, lasts)
    return str(found[0][0]) if found else ""


def leader(server: Server) -> str | None:
    """Give the name of the replica that has the lease, which is its directory's; None: nobody has."""
    return holder(server).rpartition(" ")[0] or None


@contextlib.contextmanager
def replica(directory: Path, options: list[str], pki: Path, database: str, source: str) -> Iterator[Service]:
    """Run one; its source has a name of its own, so that what it collected is known by that."""
    directory.mkdir()
    at = options.index("--sources-file") + 1
    text = Path(options[at]).read_text().replace('"good"', f'"{source}"')
    (directory / "sources.toml").write_text(text)
    own = [*options[:at], str(directory / "sources.toml"), *options[at + 1 :], "--database", database]
    own += ["--replica-name", directory.name]
    shutil.copy(pki.parent / "roles.toml", directory / "roles.toml")
    with running(directory, *own, pki=pki) as service:
        yield service


def signal_all(service: Service, number: int) -> None:
    """Send a signal to every process of a service, the first one first: nobody is to start another."""
    everybody = [service.process.pid, *children(service.process.pid)]
    for pid in everybody:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def kill(service: Service) -> None:
    """Let a service be gone, as where its machine is."""
    signal_all(service, signal.SIGKILL)
    service.process.wait()


def collectors(first: int) -> list[int]:
    """Find the process that collects: it alone of all that the first one forked listens nowhere."""
    return [pid for pid in children(first) if not _listens(pid)]


def _listens(pid: int) -> bool:
    lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    listening = {f"socket:[{line[9]}]" for line in lines if line[3] == "0A"}
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
            if os.readlink(entry) in listening:  # noqa: PTH115
                return True
    return False
