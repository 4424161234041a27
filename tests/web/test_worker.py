"""A worker from its start to the end of its drain, with real files of trust and a real store."""

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy.engine import make_url
from tornado.testing import bind_unused_port

from rcmon.access.authority.rules import Rules
from rcmon.access.trust import Trust
from rcmon.errors import ConfigError
from rcmon.files.follower import Follower
from rcmon.process import ChildContext
from rcmon.process.scoreboard import Scoreboard
from rcmon.store import Store
from rcmon.telemetry.layout import Layout
from rcmon.telemetry.own import RELOADS, REQUESTS
from rcmon.web import worker
from rcmon.web.about import About
from rcmon.web.app import handbook, routes
from rcmon.web.board import Board
from rcmon.web.recording import RolesRecord
from rcmon.web.telemetry.totals import Totals
from rcmon.web.transport.accesslog import Style
from rcmon.web.transport.guard import ClientLimits
from rcmon.web.transport.server import Server
from tests.access import pki
from tests.access.place import ALICE, ROOT, Place
from tests.scripted import until
from tests.web.caller import BASE, Caller
from tests.web.pki import client
from tests.web.serving import PAGES

STATUS = b"GET " + BASE + b"/api/status HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Working:
    """One worker over a socket; `serve` runs it."""

    def __init__(
        self,
        place: Place,
        directory: Path,
        *,
        short_way: bool = True,
        others: int = 0,
        processes: tuple[str, ...] = ("web-0",),
    ) -> None:
        self.place, self.lines = place, list[str]()
        layout = Layout({"route": routes()})
        self.scoreboard = Scoreboard(1 + others, layout.size)
        self.scoreboard.slot(0).occupy(1, 0.0)
        self.totals = Totals(layout, self.scoreboard)
        about = About(processes=processes, cycle_interval=60.0, store_kind="sqlite")
        self.settings = worker.WebSettings(
            about=about,
            store_url=make_url(f"sqlite:///{directory / 'rcmon.sqlite'}"),
            trust=place.trust(),
            scoreboard=self.scoreboard,
            layout=layout,
            limits=ClientLimits(),
            style=Style(),
            write_log=self.lines.extend,
            short_way=short_way,
            pages=PAGES,
            handbook=handbook(about),
        )
        sock, self.port = bind_unused_port()
        self.ready = asyncio.Event()
        self.context = ChildContext(
            "web-0", self.scoreboard.slot(0), grace=20.0, sockets=[sock], on_ready=self.ready.set
        )

    async def call(self, context: ssl.SSLContext) -> Caller:
        return Caller(*await asyncio.open_connection("127.0.0.1", self.port, ssl=context))

    async def until_taken_up(self, what: str, result: str) -> None:
        async with asyncio.timeout(300):
            while self.totals.value(RELOADS, what, result) != 1.0:
                await asyncio.sleep(0.02)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@contextlib.asynccontextmanager
async def working(place: Place, directory: Path, **how: Any) -> AsyncIterator[Working]:
    """Run a worker while the block runs, then stop it and hold that it ended well."""
    one = Working(place, directory, **how)
    store = Store(one.settings.store_url)
    await store.migrate()
    await store.close()
    task = asyncio.create_task(worker.serve(one.settings, one.context))
    waiting = asyncio.create_task(one.ready.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield one
    finally:
        waiting.cancel()
        one.context.stop.set()
        await task


@pytest.mark.parametrize("short_way", [True, False])
async def test_a_worker_serves_counts_logs_and_drains(place: Place, tmp_path: Path, short_way: bool) -> None:
    async with working(place, tmp_path, short_way=short_way) as one:
        caller = await one.call(client(ALICE))
        for _ in range(3):
            await caller.send(STATUS)
            assert (await caller.answer()).status == 200
        one.context.stop.set()
        assert await caller.rest() == b""  # idle, it is closed a while after the stop
        await caller.close()
    assert one.totals.value(REQUESTS, "/api/status", "GET", "200") == 3.0
    lines = "".join(one.lines).splitlines()
    assert len(lines) == 3
    assert all('info web-0 rcmon.access: identity="/DC=ch/CN=alice"' in line for line in lines)


async def test_a_hangup_takes_up_roles_at_once(place: Place, tmp_path: Path) -> None:
    async with working(place, tmp_path) as one:
        caller = await one.call(client(ALICE))
        await caller.send(STATUS)
        assert (await caller.answer()).status == 200
        place.grant("dn:/DC=ch/CN=somebody else")
        one.context.reload()
        await one.until_taken_up("roles", "success")
        await caller.send(STATUS)
        assert (await caller.answer()).status == 403
        await caller.close()


@pytest.mark.parametrize(
    ("kind", "ready", "refused"),
    [("roles", True, True), ("roles", False, True), ("crl", True, True), ("crl", False, False)],
)
async def test_a_new_worker_lets_nobody_in_by_what_was_replaced(
    place: Place, tmp_path: Path, kind: str, ready: bool, refused: bool
) -> None:
    """What another holds and its parent never did: whoever lost a role or was revoked would be back.

    A dead one's list of many files may be half of what came after: it counts where there is one file only.
    """
    place.revoke()
    one = Working(place, tmp_path, others=1)
    other = place.trust()
    place.grant("dn:/DC=org/CN=bob")
    place.revoke(ALICE)
    other.follow()
    fellow = one.scoreboard.slot(1)
    fellow.mark(other.versions.marks())
    if ready:
        fellow.become_ready()
    path = place.files.roles if kind == "roles" else place.ca_file.with_suffix(".r0")
    await begins_with_broken(one, path, refused=refused)


@pytest.mark.parametrize("kind", ["roles", "crl"])
async def test_a_new_worker_serves_by_what_its_parent_and_the_others_hold(
    place: Place, tmp_path: Path, kind: str
) -> None:
    """Also where a fellow still holds what the parent held before."""
    place.revoke()
    one = Working(place, tmp_path, others=1)
    fellow = one.scoreboard.slot(1)
    fellow.mark(one.settings.trust.versions.marks())
    fellow.become_ready()
    place.grant("dn:/DC=org/CN=bob")
    place.revoke(ALICE)
    one.settings.trust.follow()
    path = place.files.roles if kind == "roles" else place.ca_file.with_suffix(".r0")
    await begins_with_broken(one, path, refused=False)


async def begins_with_broken(one: Working, path: Path, *, refused: bool) -> None:
    """Start the worker over a broken file: it serves, or ends with the reason."""
    path.write_text("broken")
    store = Store(one.settings.store_url)
    await store.migrate()
    await store.close()
    task = asyncio.create_task(worker.serve(one.settings, one.context))
    waiting = asyncio.create_task(one.ready.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=300)
    what = "roles_file" if path.name == "roles.toml" else "crl"
    assert [trouble.what for trouble in one.scoreboard.troubles()] == [what]
    assert one.ready.is_set() is not refused
    waiting.cancel()
    one.context.stop.set()
    if refused:
        with pytest.raises(ConfigError, match="no new worker serves until it is good"):
            await task
        for listening in one.context.sockets:
            listening.close()
    else:
        await task


async def test_a_change_is_seen_without_a_hangup(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with working(place, tmp_path) as one:
        place.files.roles.write_text("[roles]\nnonsense = []\n")
        await one.until_taken_up("roles", "failure")
        caller = await one.call(client(ALICE))
        await caller.send(STATUS)
        assert (await caller.answer()).status == 200
        await caller.close()
    assert "nonsense" in caplog.text


async def test_a_refused_file_whose_name_is_no_utf_8_costs_itself_only(place: Place, tmp_path: Path) -> None:
    vo = tmp_path / "vomsdir" / "cms"
    vo.mkdir(parents=True)
    place.files = structs.replace(place.files, vomsdir=vo.parent)
    async with working(place, tmp_path) as one:
        (vo / os.fsdecode(b"h\xff.lsc")).write_text("junk\n")
        one.context.reload()
        await one.until_taken_up("voms", "failure")
        caller = await one.call(client(ALICE))
        await caller.send(STATUS)
        assert (await caller.answer()).status == 200
        await caller.close()
        (trouble,) = one.scoreboard.troubles()
    assert trouble.what == "voms"
    assert r"/h\udcff.lsc, line 1: 'junk' is not a name" in trouble.reason


async def test_a_new_certificate_serves_new_connections(place: Place, tmp_path: Path) -> None:
    async with working(place, tmp_path) as one:
        old = await one.call(client(ALICE))
        fresh = pki.host(ROOT)
        place.use(fresh)
        one.context.reload()
        await one.until_taken_up("tls", "success")
        new = await one.call(client(ALICE))
        assert new.writer.get_extra_info("ssl_object").getpeercert(binary_form=True) == fresh.der
        for caller in (old, new):
            await caller.send(STATUS)
            assert (await caller.answer()).status == 200
            await caller.close()


async def test_files_are_looked_at_by_one_check_at_a_time(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way = 0
    check = Trust.check

    async def checked(self: Trust, *, again: bool = False) -> list[tuple[str, bool]]:
        nonlocal under_way
        under_way += 1
        assert under_way == 1
        try:
            return await check(self, again=again)
        finally:
            under_way -= 1

    monkeypatch.setattr(Trust, "check", checked)
    async with working(place, tmp_path) as one:
        for _ in range(5):
            one.context.reload()
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("broken", "name", "what"),
    [
        (Board, "check", "look for a newer snapshot"),
        (Trust, "check", "take up who is let in"),
        (Follower, "refresh", "take up the control file"),
        (RolesRecord, "look", "keep the journal told of the roles file"),
    ],
    ids=["board", "trust", "control", "record"],
)
async def test_a_look_that_fails_as_nobody_expected_is_told_and_ends_no_worker(
    place: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    broken: type,
    name: str,
    what: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("meant to fail")

    monkeypatch.setattr(worker, "_TRUST_CHECK", 0.05)
    async with working(place, tmp_path) as one:
        caller = await one.call(client(ALICE))
        with monkeypatch.context() as broke:
            broke.setattr(broken, name, fail)
            await until(lambda: any(what in trouble.reason for trouble in one.scoreboard.troubles()))
        (trouble,) = [each for each in one.scoreboard.troubles() if each.what == "look"]
        assert f"cannot {what}: RuntimeError: meant to fail" in trouble.reason
        await until(lambda: not one.scoreboard.troubles())
        await caller.send(STATUS)
        assert (await caller.answer()).status == 200
        await caller.close()
    assert caplog.text.count(f"cannot {what}") == 1
    assert "Traceback" in caplog.text


async def test_a_role_is_taken_away_though_the_look_at_the_other_files_fails(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("meant to fail")

    async with working(place, tmp_path) as one:
        monkeypatch.setattr(Rules, "refresh", fail)
        place.grant("dn:/DC=ch/CN=somebody else")
        one.context.reload()
        await until(lambda: bool(one.scoreboard.troubles()))
        caller = await one.call(client(ALICE))
        await caller.send(STATUS)
        assert (await caller.answer()).status == 403
        await caller.close()


async def test_a_sweep_that_fails_is_never_silent(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends the worker with its error, and its connections with it; the supervisor starts another."""
    monkeypatch.setattr(worker, "_TICK", 0.05)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("meant to fail")

    async def until_it_fails() -> None:
        async with working(place, tmp_path) as one:
            caller = await one.call(client(ALICE))
            await caller.send(STATUS)
            await caller.answer()
            monkeypatch.setattr(Server, "tick", fail)
            assert await caller.rest() == b""
            await caller.close()
            with pytest.raises(ConnectionRefusedError):
                await one.call(client(ALICE))

    with pytest.raises(ExceptionGroup) as caught:
        await until_it_fails()
    assert caught.value.subgroup(RuntimeError)
