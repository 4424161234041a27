"""Databases that are dead, deaf, locked, slow or foreign: told in one line, and nothing is left over."""

import asyncio
import gc
import os
import signal
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from rcmon.errors import SourceError
from rcmon.sources.base import poll_one
from rcmon.sources.database import Database
from rcmon.sources.wmagent import WMAgentConfig, WMAgentSource
from rcmon.sources.wmagent.reading import load_queries, read
from tests.servers import Server, free_port
from tests.sources.polling import agent_of, poll
from tests.sources.sample import load
from tests.sources.small import SmallAgent

SERVERS = {"mariadb": ("mysql", "mysql+asyncmy"), "postgresql": ("postgresql", "postgresql+asyncpg")}
BUSY = {
    "mariadb": "SELECT COUNT(*) FROM information_schema.processlist WHERE db = 'faults'",
    "postgresql": "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'rcmon'",
}
LOCK = {"mariadb": "LOCK TABLES wmbs_job WRITE", "postgresql": "LOCK TABLE wmbs_job IN ACCESS EXCLUSIVE MODE"}
STOPPED_AFTER = 4.0
"""Seconds after which a statement is stopped: however busy the machine, it has begun by then."""
SLEEP = {"mariadb": "SELECT SLEEP(3600)", "postgresql": "SELECT PG_SLEEP(3600)"}


class Served:
    """The sample agent on a private server."""

    def __init__(self, make: str, server: Server) -> None:
        scheme, self._dialect = SERVERS[make]
        self.make = make
        self.server = server
        self.url = server.url(scheme, "faults")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold a lock on wmbs_job that readers wait for."""
        release, held = threading.Event(), threading.Event()

        async def hold(connection: AsyncConnection) -> None:
            await connection.execute(text(LOCK[self.make]))
            held.set()
            await asyncio.to_thread(release.wait)

        holder = threading.Thread(target=lambda: asyncio.run(self._with("faults", hold)))
        holder.start()
        try:
            assert held.wait(20)
            yield
        finally:
            release.set()
            holder.join()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the server's processes: they keep their sockets and say nothing."""
        pids = descendants(self.server.process.pid)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            for pid in pids:
                while not stands(pid):
                    """Each of its threads ends what it is at; on a busy machine that takes its time."""
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def connections(self) -> int:
        """Count rcmon's connections as the server sees them."""
        counts: list[int] = []

        async def count(connection: AsyncConnection) -> None:
            counts.append((await connection.execute(text(BUSY[self.make]))).scalar_one())

        asyncio.run(self._with("mysql" if self.make == "mariadb" else "postgres", count))
        return counts[0]

    async def _with(self, database: str, use: "object") -> None:
        url = self.server.url(self._dialect, database).replace("@", f":{self.server.password}@")
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            await use(connection)  # type: ignore[operator]
        await engine.dispose()


def stands(pid: int) -> bool:
    """Tell whether all threads of a process were stopped."""
    try:
        told = [(task / "stat").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    except (FileNotFoundError, ProcessLookupError):  # a thread has just ended
        return False
    return all(each.rpartition(")")[2].split()[0] in "TZ" for each in told)


def descendants(pid: int) -> list[int]:
    """Give the server's processes; `pid` is that of their guard."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [each for child in children for each in (child, *descendants(child))]


@pytest.fixture(scope="module", params=["mariadb", "postgresql"])
def served(request: pytest.FixtureRequest, sample: Path) -> Served:
    found = Served(request.param, request.getfixturevalue(request.param))
    asyncio.run(load(sample, found.server, SERVERS[found.make][1], "faults"))
    return found


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(300)
        yield server


@pytest.mark.parametrize("scheme", ["mysql", "postgresql", "oracle"])
def test_a_server_that_never_answers_is_given_up(
    scheme: str, listener: socket.socket, password_file: Path
) -> None:
    url = f"{scheme}://reader@127.0.0.1:{listener.getsockname()[1]}/"
    url += "?service_name=db" if scheme == "oracle" else "db"

    async def run() -> tuple[str | None, set[str]]:
        before = asyncio.all_tasks()
        source = WMAgentSource(
            WMAgentConfig(name="vocms0999", url=url, password_file=password_file, timeout=0.5)
        )
        result = await poll_one(source, 0.0)
        left = {task.get_name() for task in asyncio.all_tasks() - before}
        await source.close()
        return result.error, left

    error, left = asyncio.run(run())
    assert error is not None
    assert "timeout" in error or "no answer in time" in error
    assert left == set()
    accepted, _ = listener.accept()
    with accepted:
        accepted.settimeout(300)
        while accepted.recv(65536):
            """What the client said before it closed."""


@pytest.mark.parametrize("scheme", ["mysql", "postgresql"])
def test_a_dead_server_is_told(scheme: str) -> None:
    error = poll(f"{scheme}://reader@127.0.0.1:{free_port()}/db").error
    assert error is not None
    assert error.startswith(f"cannot use {scheme}://reader@127.0.0.1:")
    assert "\n" not in error


@pytest.mark.parametrize("words", [b"HTTP/1.0 400 Bad Request\r\n\r\n", bytes(1000), b"\xff" * 1000])
@pytest.mark.parametrize("scheme", ["mysql", "postgresql"])
def test_a_server_of_something_else_is_told(scheme: str, words: bytes, listener: socket.socket) -> None:
    def talk() -> None:
        accepted, _ = listener.accept()
        with accepted, suppress(ConnectionError):
            accepted.sendall(words)
            accepted.recv(65536)

    talker = threading.Thread(target=talk)
    talker.start()
    error = poll(f"{scheme}://reader@127.0.0.1:{listener.getsockname()[1]}/db").error
    talker.join()
    assert error is not None
    assert error.startswith(f"cannot use {scheme}://reader@127.0.0.1:")


def test_a_parameter_that_the_driver_does_not_know_is_told() -> None:
    error = poll("mysql://reader@127.0.0.1/db?colour=blue").error
    assert error is not None
    assert "its parameters do not fit" in error
    assert "colour" in error


def test_a_wrong_password_is_told_but_not_shown(served: Served, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("not-the-password\n")
    error = poll(served.url, secret).error
    assert error is not None
    assert error.startswith(f"cannot use {served.url}: ")
    assert "denied" in error or "authentication failed" in error
    assert "not-the-password" not in error


def test_the_password_is_read_at_each_poll(served: Served, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("old\n")

    async def run() -> tuple[bool, bool, str | None]:
        source = WMAgentSource(WMAgentConfig(name="vocms0999", url=served.url, password_file=secret))
        refused = (await poll_one(source, 0.0)).error is not None
        secret.write_text("rcmon-test\r\n")
        accepted = (await poll_one(source, 0.0)).error is None
        secret.unlink()
        return refused, accepted, (await poll_one(source, 0.0)).error

    refused, accepted, error = asyncio.run(run())
    assert refused
    assert accepted
    assert error == f"password_file {secret}: cannot be read: No such file or directory"


def test_the_password_is_nowhere_in_log_or_repr(
    served: Served, password_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = WMAgentConfig(name="vocms0999", url=served.url, password_file=password_file)
    source = WMAgentSource(config)
    with caplog.at_level("DEBUG"):
        agent_of(poll(served.url, password_file))
    shown = caplog.text + repr(config) + repr(source) + repr(vars(source)) + repr(vars(source._database))
    assert "rcmon-test" not in shown


def test_no_connection_is_there_after_a_poll(served: Served, password_file: Path) -> None:
    agent_of(poll(served.url, password_file))
    assert served.connections() == 0


def test_a_lock_runs_into_the_statement_timeout(served: Served, password_file: Path) -> None:
    async def run() -> None:
        database = Database(served.url, password_file)
        async with database.reading(STOPPED_AFTER) as reader:
            await read(reader, load_queries(database.driver.set_of))

    with (
        served.locked(),
        pytest.raises(SourceError, match="reading active_jobs was stopped because time was up"),
    ):
        asyncio.run(run())
    assert served.connections() == 0


def test_a_slow_statement_is_stopped_by_the_server(served: Served, password_file: Path) -> None:
    async def run() -> None:
        async with Database(served.url, password_file).reading(STOPPED_AFTER) as reader:
            await reader.rows("something slow", SLEEP[served.make])

    with pytest.raises(SourceError, match="reading something slow was stopped because time was up"):
        asyncio.run(run())


def test_no_time_left_is_told(served: Served, password_file: Path) -> None:
    async def run() -> None:
        async with Database(served.url, password_file).reading(STOPPED_AFTER) as reader:
            await asyncio.sleep(STOPPED_AFTER)
            await reader.rows("the rest", "SELECT 1")

    with pytest.raises(SourceError, match="no time was left to read the rest"):
        asyncio.run(run())


def test_a_server_that_stops_amid_a_poll_is_abandoned(served: Served, password_file: Path) -> None:
    async def run() -> int:
        before = asyncio.all_tasks()
        database = Database(served.url, password_file)
        with suppress(TimeoutError):
            async with asyncio.timeout(1), database.reading(20) as reader:
                await reader.rows("something", "SELECT 1")
                with served.stopped():
                    await reader.rows("something else", "SELECT 2")
                    pytest.fail("a stopped server answered")
        return len(asyncio.all_tasks() - before)

    assert asyncio.run(run()) == 0
    while served.connections():
        """The server sees, once it runs again, that the connection was cut."""


def test_closing_cuts_a_running_poll_off(
    served: Served, password_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        database, begun = Database(served.url, password_file), asyncio.Event()

        async def read() -> None:
            async with database.reading(20) as reader:
                await reader.rows("something", "SELECT 1")
                begun.set()
                await reader.rows("something slow", SLEEP[served.make])

        reading = asyncio.create_task(read())
        await begun.wait()
        await database.close()
        with pytest.raises(SourceError, match="cannot read something slow: "):
            await reading

    asyncio.run(run())
    gc.collect()
    assert "garbage collector" not in caplog.text
    while served.connections():
        """The server sees that the connection was cut."""


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE wmbs_location SET pending_slots = 0",
        "DELETE FROM rc_threshold",
        "CREATE TABLE mischief (id INTEGER)",
        "DROP TABLE rc_threshold",
    ],
)
def test_nothing_can_be_written(served: Served, password_file: Path, sql: str) -> None:
    async def run() -> None:
        async with Database(served.url, password_file).reading(10) as reader:
            await reader.rows("mischief", sql)

    with pytest.raises(SourceError, match=r"(?i)read.only"):
        asyncio.run(run())


def test_nothing_can_be_written_after_the_transaction_either(served: Served, password_file: Path) -> None:
    async def run() -> None:
        database = Database(served.url, password_file)
        async with database.reading(10) as reader:
            await reader._connection.rollback()
            await reader.rows("mischief", "DELETE FROM rc_threshold")

    with pytest.raises(SourceError, match=r"(?i)read.only"):
        asyncio.run(run())


def test_two_polls_at_once_do_not_open_two_connections(served: Served, password_file: Path) -> None:
    async def run() -> None:
        database = Database(served.url, password_file)
        async with database.reading(10):
            with pytest.raises(SourceError, match="an earlier poll still reads"):
                async with database.reading(10):
                    """Never reached."""

    asyncio.run(run())


@pytest.mark.parametrize(
    "sql", ["DROP TABLE wma_init", "ALTER TABLE wm_workers DROP COLUMN cycle_time", "DROP TABLE bl_runjob"]
)
def test_another_schema_is_told(small: SmallAgent, sql: str) -> None:
    small.run(sql)
    error = poll(small.url).error
    assert error is not None
    assert "the schema is not the one known of a WMAgent: no such" in error


def test_another_schema_is_told_by_servers(mariadb: Server, postgresql: Server, password_file: Path) -> None:
    for url in (mariadb.url("mysql", "mysql"), postgresql.url("postgresql", "postgres")):
        error = poll(url, password_file).error
        assert error is not None
        assert error.startswith("cannot read sites: the schema is not the one known of a WMAgent: ")
        assert "wmbs_location" in error


def test_an_answer_that_the_driver_cannot_make_out_is_told(
    small: SmallAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No server at hand gives one: the double raises what a driver raises then."""

    async def garbled(*_: object) -> None:
        raise UnicodeDecodeError("utf-8", b"hush", 0, 1, "no text")

    async def run() -> None:
        async with Database(small.url).reading(10) as reader:
            monkeypatch.setattr(reader, "_run", garbled)
            await reader.rows("workers", "SELECT 1")

    with pytest.raises(SourceError) as caught:
        asyncio.run(run())
    assert (
        str(caught.value) == "cannot read workers: the driver cannot make out the answer: UnicodeDecodeError"
    )


class TestSQLite:
    """What only files do."""

    def test_a_missing_file_is_told_and_not_created(self, tmp_path: Path) -> None:
        path = tmp_path / "agent.sqlite"
        assert poll(f"sqlite:///{path}").error == f"{path} is not a file; nothing was created"
        assert list(tmp_path.iterdir()) == []

    def test_nothing_is_written_or_left_beside_it(self, small: SmallAgent) -> None:
        small.close()
        before = small.path.read_bytes()
        agent_of(poll(small.url))
        assert small.path.read_bytes() == before
        assert list(small.path.parent.iterdir()) == [small.path]

    @pytest.mark.parametrize("sql", ["DELETE FROM rc_threshold", "CREATE TABLE mischief (id)", "VACUUM"])
    def test_nothing_can_be_written(self, small: SmallAgent, sql: str) -> None:
        async def run() -> None:
            async with Database(small.url).reading(10) as reader:
                await reader._connection.rollback()
                with pytest.raises(SourceError, match="readonly database"):
                    await reader.rows("mischief", sql)

        asyncio.run(run())

    def test_nothing_can_be_written_though_it_were_allowed(self, small: SmallAgent) -> None:
        async def run() -> None:
            async with Database(small.url).reading(10) as reader:
                await reader._run("PRAGMA query_only = OFF")
                await reader.rows("mischief", "DELETE FROM rc_threshold")

        with pytest.raises(SourceError, match="readonly database"):
            asyncio.run(run())

    def test_a_path_may_hold_anything(self, small: SmallAgent) -> None:
        path = small.path.with_name("odd ?#%20&name.sqlite")
        small.close()
        small.path.rename(path)
        quoted = str(path).replace("%", "%25").replace("?", "%3F")
        agent_of(poll(f"sqlite:///{quoted}"))

    def test_a_file_that_is_no_database_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "agent.sqlite"
        path.write_text("name,slots\n" * 100)
        error = poll(f"sqlite:///{path}").error
        assert error is not None
        assert "file is not a database" in error

    def test_a_writer_does_not_disturb(self, small: SmallAgent) -> None:
        small.run("PRAGMA journal_mode = WAL")
        small.run("BEGIN IMMEDIATE")
        small.run("DELETE FROM rc_threshold")
        assert len(small.poll().sites["T1_DE_KIT"].tasks) == 2
        small.run("ROLLBACK")

    def test_a_file_in_wal_mode_that_nobody_has_open(self, small: SmallAgent) -> None:
        small.run("PRAGMA journal_mode = WAL")
        small.close()
        assert agent_of(poll(small.url)).findings == ()

    def test_a_file_in_wal_mode_where_nothing_can_be_written_is_told(
        self, small: SmallAgent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small.run("PRAGMA journal_mode = WAL")
        small.close()
        monkeypatch.setattr("os.access", lambda *_: False)
        error = poll(small.url).error
        assert error is not None
        assert error.startswith(f"{small.path} is in WAL mode, and SQLite reads that only where it can make")
        assert "or make the copy with VACUUM INTO" in error

    def test_all_statements_see_one_state(self, small: SmallAgent) -> None:
        small.run("PRAGMA journal_mode = WAL")

        async def run() -> list[int]:
            counts = []
            async with Database(small.url).reading(10) as reader:
                for _ in range(2):
                    counts.append((await reader.rows("jobs", "SELECT COUNT(*) FROM wmbs_job"))[0][0])
                    small.job("created")
            return counts

        assert asyncio.run(run()) == [2, 2]

    def test_a_locked_file_is_told(self, small: SmallAgent) -> None:
        async def run() -> None:
            async with Database(small.url).reading(STOPPED_AFTER) as reader:
                await reader.rows("jobs", "SELECT COUNT(*) FROM wmbs_job")

        small.run("BEGIN EXCLUSIVE")
        with pytest.raises(SourceError, match="database is locked"):
            asyncio.run(run())
        small.run("ROLLBACK")

    def test_a_slow_statement_is_stopped(self, small: SmallAgent) -> None:
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"

        async def run() -> None:
            async with Database(small.url).reading(STOPPED_AFTER) as reader:
                await reader.rows("something endless", endless)

        with pytest.raises(SourceError, match="reading something endless was stopped because time was up"):
            asyncio.run(run())

    @pytest.mark.alone
    def test_an_abandoned_statement_leaves_no_thread(self, small: SmallAgent) -> None:
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"

        async def run() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2), Database(small.url).reading(3600) as reader:
                    await reader.rows("something endless", endless)

        before = threading.active_count()
        asyncio.run(run())
        while threading.active_count() > before:
            """The connection's thread ends by itself."""

    def test_a_password_for_a_file_is_told(self, small: SmallAgent, password_file: Path) -> None:
        assert poll(small.url, password_file).error == "an SQLite file has no password"


def test_the_sample_is_not_spoilt(sample: Path) -> None:
    with closing(sqlite3.connect(sample)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
