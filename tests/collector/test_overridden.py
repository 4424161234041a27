"""Overrides end by themselves, once, whoever collects; a clock that jumps ends none before it is told."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy.engine import URL

from rcmon.collector import overridden
from rcmon.collector.clock import Moment
from rcmon.collector.overridden import AGREES, DOUBTED, GAP, OVER, Belief, Overridden
from rcmon.model import (
    Agent,
    AgentExpected,
    AgentSite,
    Override,
    OverrideChange,
    SiteExpected,
    Snapshot,
    SpotChange,
)
from rcmon.store import Store
from rcmon.store.journal import JournalSpan, read_journal
from rcmon.store.overrides import make_change, next_change, read_overrides
from rcmon.store.tables import OVERRIDE
from tests.store.conftest import new_database, open_store, server, store, url

__all__ = ["new_database", "open_store", "server", "store", "url"]

NOW, DAY, SITE = 1.8e9, 86400.0, "T1_XX_A"


def override(site: str = SITE, **values: Any) -> Override:
    given: dict[str, Any] = {"mode": "until", "until": NOW + 600, "state": "Draining", "agent": None} | values
    return Override(
        site=site, running=None, pending=None, reason="r", subject="/CN=o", made=NOW - DAY, version=1, **given
    )


async def put(store: Store, *wanted: Override) -> None:
    async with store.adding() as connection:
        number = await next_change(connection)
        made = [structs.replace(one, version=number) for one in wanted]
        spots = tuple(SpotChange(one.site, one.agent, None, one) for one in made)
        await make_change(connection, OverrideChange(number, NOW - DAY, "/CN=o", "set", spots))


async def ends(store: Store) -> list[tuple[str | None, str | None, str | None]]:
    """List what ended in the journal: site, by whom, why."""
    async with store.asking() as connection:
        found = await read_journal(connection, JournalSpan(limit=100, kinds=("override",)))
    entries = [one.entry for one in reversed(found)]
    return [(one.site, one.by, (one.cause or "").partition(",")[0]) for one in entries if one.new is None]


def at(wall: float, running: float | None = None) -> Moment:
    return Moment(wall, wall - NOW + 1000.0 if running is None else running)


async def sites(looking: Overridden, moment: Moment, last: Snapshot | None = None) -> list[str]:
    held, _ = await looking.look(moment, last)
    return [one.site for one in held]


def expecting(state: str | None) -> Snapshot:
    site = AgentSite(SITE, "Normal", None, SITE, None, 10, 10)
    expected = {"a": AgentExpected(sites={SITE: SiteExpected(state, state)})}
    return Snapshot(NOW, 1.0, 60.0, agents={"a": Agent("a", NOW, {SITE: site})}, expected=expected)


async def test_an_override_ends_at_its_time_and_is_in_the_journal_once(store: Store) -> None:
    await put(store, override(), override("T1_XX_B", mode="latched", until=None))
    looking = Overridden(store)
    assert await sites(looking, at(NOW + 599)) == [SITE, "T1_XX_B"]
    assert await ends(store) == []
    assert await sites(looking, at(NOW + 601)) == ["T1_XX_B"]
    assert await sites(looking, at(NOW + 661)) == ["T1_XX_B"]
    assert await ends(store) == [(SITE, None, OVER)]


async def test_several_collectors_end_it_once(
    store: Store, open_store: Callable[[str | URL], Store], url: str | URL
) -> None:
    await put(store, override(), override("T1_XX_B"))
    replicas = [Overridden(open_store(url)) for _ in range(4)]
    await asyncio.gather(*(one.look(at(NOW + 601), None) for one in replicas))
    assert sorted(site or "" for site, _, _ in await ends(store)) == [SITE, "T1_XX_B"]


async def test_what_an_operator_changes_meanwhile_is_left_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store, override())
    looking = Overridden(store)
    end = looking._end

    async def slower(due: Any, wall: float) -> None:
        async with store.adding() as connection:
            number = await next_change(connection)
            (held,) = await read_overrides(connection)
            longer = structs.replace(held, until=NOW + DAY, version=number)
            spots = (SpotChange(SITE, None, held, longer),)
            await make_change(connection, OverrideChange(number, NOW, "/CN=p", "set", spots))
        await end(due, wall)

    monkeypatch.setattr(looking, "_end", slower)
    held, _ = await looking.look(at(NOW + 601), None)
    assert [one.until for one in held] == [NOW + DAY]
    assert await ends(store) == []


async def test_a_toggle_ends_when_the_board_agrees_twice(store: Store) -> None:
    await put(store, override(mode="toggle", until=None))
    looking = Overridden(store)
    for state, held in (
        ("Draining", [SITE]),
        ("Normal", [SITE]),  # a board that blinks
        (None, [SITE]),
        ("Draining", [SITE]),
        ("Draining", []),
    ):
        assert await sites(looking, at(NOW), expecting(state)) == held
    assert await ends(store) == [(SITE, None, AGREES)]


async def test_agreement_from_before_another_one_collected_does_not_count(store: Store) -> None:
    """The board may have blinked meanwhile."""
    await put(store, override(mode="toggle", until=None))
    looking = Overridden(store)
    assert await sites(looking, at(NOW), expecting("Draining")) == [SITE]
    looking.begin_anew()
    assert await sites(looking, at(NOW), expecting("Draining")) == [SITE]
    assert await sites(looking, at(NOW), expecting("Draining")) == []


async def test_a_clock_that_jumps_forward_ends_nothing_for_an_hour(store: Store) -> None:
    await put(store, override())
    looking = Overridden(store)
    await looking.look(at(NOW), None)
    jumped = NOW + 2 * DAY
    held, behind = await looking.look(at(jumped, 1060.0), None)
    assert ([one.site for one in held], behind) == ([SITE], 2 * DAY - 60)
    assert await sites(looking, at(jumped + 500, 1560.0)) == [SITE]
    assert await sites(looking, at(jumped + 600, 1660.0)) == []  # its time is over by the clock before, too
    assert len(await ends(store)) == 1


async def test_a_jump_that_stays_is_believed_after_an_hour(store: Store) -> None:
    await put(store, override(until=NOW + DAY))
    looking = Overridden(store)
    await looking.look(at(NOW), None)
    jumped = NOW + 2 * DAY
    assert await sites(looking, at(jumped, 1060.0)) == [SITE]
    assert await sites(looking, at(jumped + DOUBTED - 1, 1060.0 + DOUBTED - 1)) == [SITE]
    assert await sites(looking, at(jumped + DOUBTED, 1060.0 + DOUBTED)) == []


async def test_a_jump_that_is_taken_back_was_nothing(store: Store) -> None:
    await put(store, override(until=NOW + DAY))
    looking = Overridden(store)
    for moment in (at(NOW), at(NOW + 2 * DAY, 1060.0), at(NOW + 120, 1120.0), at(NOW + 2 * DOUBTED)):
        assert await sites(looking, moment) == [SITE]
    assert await sites(looking, at(NOW + DAY + 1)) == []


async def test_a_clock_that_is_set_back_ends_nothing_early(store: Store) -> None:
    await put(store, override())
    looking = Overridden(store)
    await looking.look(at(NOW), None)
    held, behind = await looking.look(at(NOW - 2 * DAY, 1060.0), None)
    assert (len(held), behind) == (1, 0.0)
    assert await sites(looking, at(NOW - 2 * DAY + 1000, 2060.0)) == [SITE]


async def test_after_a_long_gap_an_hour_is_left_to_look(store: Store) -> None:
    """The machine was off for long, or its clock was set meanwhile: a collector that begins cannot tell."""
    await put(store, override())
    last = expecting("Normal")
    looking = Overridden(store)
    assert await sites(looking, at(NOW + GAP + 1, 5.0), last) == [SITE]
    assert await sites(looking, at(NOW + GAP + 1 + DOUBTED, 5.0 + DOUBTED), last) == []
    await put(store, override())
    assert await sites(Overridden(store), at(NOW + GAP, 5.0), last) == []


def test_a_clock_that_runs_is_believed() -> None:
    belief = Belief()
    for step in range(100):
        assert belief.behind(Moment(NOW + 60 * step + 0.001 * step, 60.0 * step), None) == 0.0


async def test_a_store_that_fails_forgets_no_override(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Else a document that steers would leave it out."""
    await put(store, override())
    looking = Overridden(store)
    assert await sites(looking, at(NOW)) == [SITE]

    async def failing(_: object) -> None:
        raise RuntimeError("meant to fail")

    monkeypatch.setattr(overridden, "read_overrides", failing)
    caplog.set_level(logging.WARNING)
    for _ in range(2):
        assert await sites(looking, at(NOW + 60)) == [SITE]
    assert caplog.text.count("meant to fail") == 1
    last = structs.replace(expecting("Normal"), overrides=(override(),))
    assert await sites(Overridden(store), at(NOW + 60), last) == [SITE]


async def test_an_end_that_the_store_does_not_take_comes_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store, override())
    looking = Overridden(store)
    with monkeypatch.context() as broken:
        broken.setattr(overridden, "make_change", None)
        assert await sites(looking, at(NOW + 601)) == [SITE]
    async with store.reading() as connection:
        assert len((await connection.execute(OVERRIDE.select())).all()) == 1
    assert await sites(looking, at(NOW + 661)) == []
    assert len(await ends(store)) == 1
