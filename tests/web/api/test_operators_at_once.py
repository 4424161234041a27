"""Operators who write at once, to several workers on one store: no update is lost, each is told once."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from sqlalchemy.engine import URL
from tornado.httpclient import HTTPResponse

from rcmon.store import Store
from rcmon.store.journal import JournalSpan, read_journal
from rcmon.web.app import TABLE
from tests.store.conftest import new_database, open_store, server, store, url
from tests.web.grid import SITES, make_snapshot
from tests.web.serving import Serving, serving

__all__ = ["new_database", "open_store", "server", "store", "url"]

OPERATORS = 20
MANY = 100_000
"""More slots than there are anywhere: nothing is harmed."""
SHARED = "/api/sites/T1_US_FNAL/override"


async def put(served: Serving, path: str, slots: int, who: int, **condition: str) -> HTTPResponse:
    """Set slots; all have one certificate here: what tells their wishes apart is the reason."""
    said = {"running_slots": MANY + slots, "mode": "latched", "reason": f"operator {who}"}
    fields = {"Content_Type": "application/json", **condition}
    return await served.ask(path, "operator", method="PUT", body=json.dumps(said).encode(), **fields)


async def add_one(served: Serving, number: int, codes: Counter[int]) -> None:
    """Set one slot more than there are, as often as it takes."""
    while True:
        read = await served.ask(SHARED)
        slots = json.loads(read.body)["running_slots"] - MANY
        made = await put(served, SHARED, slots + 1, number, If_Match=read.headers["ETag"])
        codes[made.code] += 1
        if made.code == 200:
            return
        assert made.code in (412, 503), made.body


async def operate(served: Serving, number: int, codes: Counter[int]) -> None:
    """Write at a place that all write at, at one of its own, and at one where the first wins."""
    await add_one(served, number, codes)
    own = f"/api/sites/{SITES[10 + number]}/override"
    while (await put(served, own, number, number, If_None_Match="*")).code == 503:
        codes[503] += 1
    contested = await put(served, "/api/sites/T1_DE_KIT/override", number, number, If_None_Match="*")
    codes[contested.code] += 1


async def test_twenty_operators_lose_no_update_and_each_is_in_the_journal_once(
    store: Store, open_store: Callable[[str | URL], Store], url: str | URL
) -> None:
    first, second = open_store(url), open_store(url)
    async with serving(table=TABLE, store=first) as one, serving(table=TABLE, store=second) as two:
        await one.publish(make_snapshot())
        await two.board.check()
        assert (await put(one, SHARED, 0, -1, If_None_Match="*")).code == 201
        codes: Counter[int] = Counter()
        async with asyncio.timeout(240):
            await asyncio.gather(
                *(operate((one, two)[number % 2], number, codes) for number in range(OPERATORS))
            )
        assert codes[201] == 1  # of all who made the contested one
        told = json.loads((await two.ask("/api/overrides")).body)["overrides"]
    held = {each["site"]: each for each in told}
    assert held["T1_US_FNAL"]["running_slots"] == MANY + OPERATORS
    assert {site: held[site]["running_slots"] - MANY for site in SITES[10 : 10 + OPERATORS]} == {
        site: number for number, site in enumerate(SITES[10 : 10 + OPERATORS])
    }
    async with store.asking() as connection:
        found = await read_journal(connection, JournalSpan(limit=1000, kinds=("override",)))
    entries = [kept.entry for kept in reversed(found)]
    assert [entry.new and entry.new["version"] for entry in entries] == list(range(1, 2 * OPERATORS + 3))
    shared = [entry for entry in entries if entry.site == "T1_US_FNAL"]
    assert [entry.new and entry.new["running_slots"] - MANY for entry in shared] == list(range(OPERATORS + 1))
    assert all(later.old == earlier.new for earlier, later in pairwise(shared))
