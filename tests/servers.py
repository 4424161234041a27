"""Private servers for tests - databases, Prometheus and others: the system's packages, on loopback.

Each starter is a context manager: a directory of its own, a free port, ready when it yields, stopped when
it ends. As root the databases run as the users that their packages made (`mysql`, `postgres`), because
neither runs as root.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

PATHS = (*os.environ.get("PATH", os.defpath).split(os.pathsep), "/usr/sbin", "/usr/local/sbin")
START_WITHIN = 240.0
GUARD = """
signal=$1; shift
exec 3<&0
"$@" </dev/null 3<&- & server=$!
{ read -r _ <&3; kill -s "$signal" $server; } & watch=$!
wait $server; kill $watch
"""
"""Runs a server until standard input ends, which it does even where the tests are killed."""


def need(tool: str, *folders: str) -> str:
    """Find a program; without it the test skips with that reason, or fails where RCMON_TEST_ALL=1."""
    found = shutil.which(tool, path=os.pathsep.join([*folders, *PATHS]))
    if found:
        return found
    reason = f"needs the program {tool}, which is not installed"
    if os.environ.get("RCMON_TEST_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    """Find a TCP port on loopback that is free right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server(NamedTuple):
    """A server that runs: where it listens, how to log in, and the user it is asked as."""

    port: int
    user: str
    password: str
    folder: Path
    process: subprocess.Popen[bytes]
    """Its guard, a shell that stops the server when the tests end, however they end."""

    def url(self, scheme: str, database: str) -> str:
        """Write the URL of a database on it, without the password."""
        return f"{scheme}://{self.user}@127.0.0.1:{self.port}/{database}"


@contextmanager
def mariadb(options: Sequence[str] = (), files: Mapping[str, bytes] | None = None) -> Iterator[Server]:
    """Run a private MariaDB whose user `root` (password `rcmon-test`) may log in over TCP.

    `files` are put into its folder, for its eyes only; `{folder}` in an option is that folder.
    """
    install, server = need("mariadb-install-db"), need("mariadbd")
    with _folder("mysql") as (folder, user):
        as_user = [f"--user={user}"] if user else []
        data, port = folder / "data", free_port()
        _run(
            [
                *(install, "--no-defaults", *as_user, f"--datadir={data}", "--skip-test-db"),
                "--auth-root-authentication-method=normal",
            ]
        )
        options = _with_files(options, files, folder, user)
        start = folder / "start.sql"
        start.write_text(
            "CREATE OR REPLACE USER root@127.0.0.1 IDENTIFIED BY 'rcmon-test';\n"
            "GRANT ALL ON *.* TO root@127.0.0.1 WITH GRANT OPTION;\n"
        )
        command = [server, "--no-defaults", *as_user, f"--datadir={data}", f"--port={port}"]
        command += ["--bind-address=127.0.0.1", f"--socket={folder / 'socket'}", f"--init-file={start}"]
        command += [f"--pid-file={folder / 'pid'}", "--skip-name-resolve", *options]
        command += ["--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=64M"]
        with _running(command, folder, lambda: _greets(port), signal.SIGTERM) as process:
            yield Server(port, "root", "rcmon-test", folder, process)


@contextmanager
def postgresql(options: Sequence[str] = (), files: Mapping[str, bytes] | None = None) -> Iterator[Server]:
    """Run a private PostgreSQL whose user `postgres` (password `rcmon-test`) may log in over TCP.

    `options` and `files` as of MariaDB.
    """
    folders = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    initdb, server, asked = (need(tool, *folders) for tool in ("initdb", "postgres", "pg_isready"))
    with _folder("postgres") as (folder, user):
        secret = folder / "secret"
        secret.write_text("rcmon-test\n")
        data, port = folder / "data", free_port()
        _run(
            [
                *(initdb, "-D", str(data), "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={secret}"),
                *("--encoding=UTF8", "--no-sync", "--locale=C"),
            ],
            user,
        )
        command = [server, "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder), "-F"]
        command += _with_files(options, files, folder, user)
        ask = [asked, "-q", "-h", "127.0.0.1", "-p", str(port)]
        with _running(command, folder, lambda: subprocess.call(ask) == 0, signal.SIGINT, user) as process:
            yield Server(port, "postgres", "rcmon-test", folder, process)


@contextmanager
def pgbouncer(behind: Server, options: str = "") -> Iterator[Server]:
    """Run a private PgBouncer in transaction mode before a PostgreSQL, else as Debian configures it.

    `options` are further lines of its section `[pgbouncer]`, such as `default_pool_size = 1`.
    """
    server = need("pgbouncer")
    with _folder("postgres") as (folder, user):
        (folder / "users").write_text(f'"{behind.user}" "{behind.password}"\n')
        port = free_port()
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={behind.port}\n[pgbouncer]\npool_mode = transaction\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = md5\nauth_file = {folder / 'users'}\n{options}\n"
        )
        command = [server, str(folder / "pgbouncer.ini")]
        with _running(command, folder, lambda: _connects(port), signal.SIGTERM, user) as process:
            yield Server(port, behind.user, behind.password, folder, process)


@contextmanager
def prometheus(config: str, files: Mapping[str, str | bytes] | None = None) -> Iterator[Server]:
    """Run a private Prometheus with that configuration, its paths relative to the folder of `files`."""
    server = need("prometheus")
    with _folder(None) as (folder, _):
        (folder / "prometheus.yml").write_text(config)
        for name, content in (files or {}).items():
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        port = free_port()
        command = [
            server,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
        ]
        command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
        with _running(command, folder, lambda: _connects(port), signal.SIGTERM) as process:
            yield Server(port, "", "", folder, process)


@contextmanager
def alertmanager(config: str) -> Iterator[Server]:
    """Run a private Alertmanager with that configuration, alone."""
    server = need("prometheus-alertmanager")
    with _folder(None) as (folder, _):
        (folder / "alertmanager.yml").write_text(config)
        port = free_port()
        command = [server, f"--config.file={folder / 'alertmanager.yml'}"]
        command += [f"--storage.path={folder / 'data'}", "--cluster.listen-address="]
        command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
        with _running(command, folder, lambda: _connects(port), signal.SIGTERM) as process:
            yield Server(port, "", "", folder, process)


@contextmanager
def haproxy(config: str) -> Iterator[Server]:
    """Run a private HAProxy with that configuration, in which `{port}` is the one that it listens at."""
    server = need("haproxy")
    with _folder(None) as (folder, _):
        port = free_port()
        (folder / "haproxy.cfg").write_text(config.replace("{port}", str(port)))
        command = [server, "-db", "-f", str(folder / "haproxy.cfg")]
        with _running(command, folder, lambda: _connects(port), signal.SIGTERM) as process:
            yield Server(port, "", "", folder, process)


@contextmanager
def _folder(owner: str | None) -> Iterator[tuple[Path, str | None]]:
    """Make a directory for a server; as root it belongs to `owner`, as whom the server then runs."""
    user = owner if owner and os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="rcmon-", ignore_cleanup_errors=True) as name:
        if user:
            entry = pwd.getpwnam(user)
            os.chown(name, entry.pw_uid, entry.pw_gid)
        yield Path(name), user


@contextmanager
def _running(
    command: Sequence[str],
    folder: Path,
    ready: Callable[[], bool],
    stop: signal.Signals,
    user: str | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server from its readiness to the end of the block; a server that dies shows its log."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", stop.name.removeprefix("SIG"), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=folder,
            user=user,
            group=user,
        )
    try:
        give_up = time.monotonic() + START_WITHIN
        while not ready():
            if process.poll() is not None or time.monotonic() > give_up:
                pytest.fail(f"{command[0]} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(START_WITHIN)


def _with_files(
    options: Sequence[str], files: Mapping[str, bytes] | None, folder: Path, user: str | None
) -> list[str]:
    """Write the files, and name their folder in the options."""
    for name, content in (files or {}).items():
        path = folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        if user:
            shutil.chown(path, user)
    return [option.replace("{folder}", str(folder)) for option in options]


def _run(command: Sequence[str], user: str | None = None) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd="/", user=user, group=user
    )
    if done.returncode:
        pytest.fail(f"{command[0]} failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")


def _connects(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def _greets(port: int) -> bool:
    """Tell whether MariaDB speaks: it listens somewhat before it has read its initial file."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(1)
            return bool(connection.recv(1))
    except OSError:
        return False
