"""Overrides: read, set, ended and undone; each change whole, guarded by what was seen, and durable.

A change that was made already, as somebody wants it, is told again and not made again: an answer may be lost.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec
from msgspec import Struct, structs
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.documents.why import WhyIndex
from rcmon.errors import StoreBusyError, StoreError
from rcmon.model import Override, OverrideChange, Place, Spot, SpotChange
from rcmon.rules.deciding import is_done, restored
from rcmon.rules.forcing import Grid, needs_force
from rcmon.rules.overriding import by_place, is_over
from rcmon.store import Store
from rcmon.store.overrides import (
    changed_since,
    last_change,
    make_change,
    next_change,
    read_change,
    read_earlier,
    read_override,
    read_overrides,
)
from rcmon.timestamps import iso
from rcmon.web.answers.problems import Problem
from rcmon.web.api.preconditions import Precondition, required

SEEN = "If-Match with its ETag to change or end it, If-None-Match: * to make one where there is none"
_SEEN_CHANGE = "If-Match with the ETag of the change that is to be undone"


class Wish(Struct, frozen=True):
    """What somebody wants at one place."""

    spot: Spot
    wanted: Override | None
    """As it is to be, without a version; None: that there is none."""
    given: Precondition | None
    default_end: bool = False
    """Whether no end was named."""


class Intended(Struct, frozen=True):
    """What wishes would change."""

    overrides: Sequence[Override]
    """What is there now."""
    changes: Sequence[SpotChange]
    needs_force: str | None = None
    """Why it needs a second word; None: it does not."""

    @property
    def after(self) -> dict[Spot, Override]:
        """What would be there, by place."""
        held = by_place(self.overrides)
        for one in self.changes:
            held.pop((one.site, one.agent), None)
            if one.after is not None:
                held[one.site, one.agent] = one.after
        return held


class Author(Struct, frozen=True):
    """Who changes overrides, when and knowing what."""

    subject: str
    now: float
    """Seconds since the epoch; as in what is wished."""
    grid: Grid
    force: str = ""
    """The second reason, for what changes many sites at once."""


class Done(Struct, frozen=True):
    """What became of wishes."""

    change: OverrideChange | None
    """None: all was as is wanted before."""
    overrides: Sequence[Override]
    """What holds at the places now."""
    repeated: bool = False
    """Whether the change was made before."""


class Overrides:
    """Reads and changes overrides in the store; Problem 503 where that cannot be."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def every(self) -> tuple[Override, ...]:
        """Read all that are there."""
        async with self._reading() as connection:
            return await read_overrides(connection)

    async def at(self, spot: Spot) -> Override:
        """Read the one of a place; Problem 404 where there is none."""
        async with self._reading() as connection:
            found = await read_override(connection, *spot)
        if found is None:
            raise _absent(spot)
        return found

    async def change(self, number: int) -> OverrideChange:
        """Read a change; Problem 404 where there is none."""
        async with self._reading() as connection:
            return _known(await read_change(connection, number), number)

    async def plan(self, wishes: Sequence[Wish], author: Author) -> Intended:
        """Tell what is there, and what wishes would change; a condition that is given must hold."""
        async with self._reading() as connection:
            return await _planned(connection, await _all_weighed(connection, wishes, 0), author)

    async def grant(self, wishes: Sequence[Wish], cause: str, author: Author) -> Done:
        """Do what is wanted, all or nothing; when this ends it is there for good.

        Problem 404, 412 or 428 where one of the wishes is meant for another state than there is, or for none,
        409 where it needs a second word.
        """
        for one in wishes:
            required(one.given, SEEN)
        async with self._adding() as connection:
            number = await next_change(connection)
            changes = await _all_weighed(connection, wishes, number)
            change = None
            if changes:
                cause += await _forced(connection, changes, author)
                change = OverrideChange(number, author.now, author.subject, cause, tuple(changes))
                await make_change(connection, change)
            held = by_place(await read_overrides(connection))
            repeated = None if change else await _repeated(connection, wishes, held)
        there = [held[one.spot] for one in wishes if one.spot in held]
        return Done(change or repeated, there, repeated=change is None)

    async def undo(
        self, number: int, given: Precondition | None, reason: str | None, author: Author
    ) -> OverrideChange:
        """Restore what was before a change, whole.

        Problem 404 where there is no such change, 409 where another came after it at one of its places, or
        what was before has ended by its time, 412 and 428 as for a change.
        """
        given = required(given, _SEEN_CHANGE)
        async with self._adding() as connection:
            mine = await next_change(connection)
            undone = _known(await read_change(connection, number), number)
            if not given.admits(undone.tag):
                raise _stale(f"Change {number} is another than the one that you have seen.", undone.tag)
            done = await _undoing(connection, undone)
            if done is not None:
                return done  # asked again: the answer was lost
            now, subject = author.now, author.subject
            for one in undone.spots:
                if one.before is not None and is_over(one.before, now):
                    raise _ended(number, one.before)
            spots = tuple(
                SpotChange(one.site, one.agent, one.after, restored(one.before, mine, subject, now))
                for one in undone.spots
            )
            cause = f"change {number} was undone" + (f": {reason}" if reason else "")
            cause += await _forced(connection, spots, author)
            change = OverrideChange(mine, now, subject, cause, spots, number)
            await make_change(connection, change)
        return change

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._store.reading() as connection:
                yield connection
        except StoreError as error:
            raise _unavailable("The overrides cannot be read just now", error) from error

    @asynccontextmanager
    async def _adding(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._store.adding() as connection:
                yield connection
        except StoreError as error:
            raise _unavailable("No override is changed", error) from error


def places_of(why: WhyIndex, site: str) -> Mapping[str, Place]:
    """Tell what the agents hold of a site, by agent."""
    found = why.sites.get(site)
    if found is None:
        return {}
    return {place.agent: place for place in msgspec.msgpack.decode(found, type=tuple[Place, ...])}


async def _planned(connection: AsyncConnection, changes: Sequence[SpotChange], author: Author) -> Intended:
    """Look at changes as a whole."""
    plan = Intended(await read_overrides(connection), changes)
    window = author.grid.settings.window
    earlier = by_place(await read_earlier(connection, author.now - window))
    reason = needs_force(earlier, by_place(plan.overrides), plan.after, author.grid)
    return structs.replace(plan, needs_force=reason)


async def _forced(connection: AsyncConnection, changes: Sequence[SpotChange], author: Author) -> str:
    """Hold that changes need no second word, or have one: what the journal has of that. Problem 409."""
    plan = await _planned(connection, changes, author)
    if plan.needs_force is None:
        return ""
    if not author.force:
        detail = f"{plan.needs_force}. If that is meant, ask again with ?force= and a second reason."
        raise Problem(409, detail)
    return f", forced ({author.force})"


async def _all_weighed(connection: AsyncConnection, wishes: Sequence[Wish], number: int) -> list[SpotChange]:
    """Weigh all wishes; gives what is to be changed."""
    held = by_place(await read_overrides(connection))
    weighed = [await _weighed(connection, one, held.get(one.spot), number) for one in wishes]
    return sorted((one for one in weighed if one is not None), key=lambda one: (one.site, one.agent or ""))


async def _weighed(
    connection: AsyncConnection, wish: Wish, held: Override | None, number: int
) -> SpotChange | None:
    """Weigh a wish against what is there; None: it is so already. Problem 404 or 412."""
    site, agent = wish.spot
    given, tag = wish.given, held.tag if held else None
    seen = held is not None and given is not None and given.admits(tag)
    if wish.wanted is None:
        if held is None:
            if given is not None and not await _was_ended(connection, wish.spot, given):
                raise _absent(wish.spot)
            return None
        if given is not None and not seen:
            raise _stale(f"The override of {_words(wish.spot)} is another than you have seen.", tag)
        return SpotChange(site, agent, held, None)
    if is_done(held, wish.wanted, default_end=wish.default_end, seen=seen):
        return None
    if given is not None and not given.admits(tag):
        if held is None:
            raise _stale(f"There is no override of {_words(wish.spot)} any more.", None)
        raise _stale(f"There is another override of {_words(wish.spot)} than you have seen.", tag)
    return SpotChange(site, agent, held, structs.replace(wish.wanted, version=number))


async def _was_ended(connection: AsyncConnection, spot: Spot, given: Precondition) -> bool:
    """Tell whether what somebody wants to end has ended: an answer was lost, or its time was over."""
    last = await last_change(connection, *spot)
    before = [one.before for one in last.spots if (one.site, one.agent) == spot] if last else []
    return given.absent or any(one is not None and given.admits(one.tag) for one in before)


async def _repeated(
    connection: AsyncConnection, wishes: Sequence[Wish], held: Mapping[Spot, Override]
) -> OverrideChange | None:
    """Find the change that did all of it before; None: several did."""
    versions = {held[one.spot].version for one in wishes if one.spot in held}
    if versions:
        made = await read_change(connection, max(versions))
    else:
        made = await last_change(connection, *wishes[0].spot)
    after = {(one.site, one.agent): one.after for one in made.spots} if made else {}
    return made if after == {one.spot: held.get(one.spot) for one in wishes} else None


async def _undoing(connection: AsyncConnection, undone: OverrideChange) -> OverrideChange | None:
    """Find the change that has undone one already, whole; Problem 409 where another came at its places."""
    later = await changed_since(connection, undone.number)
    last = {later.get((one.site, one.agent)) for one in undone.spots}
    if last == {None}:
        return None
    number = last.pop()
    found = await read_change(connection, number) if number is not None and not last else None
    if found is not None and found.undoes == undone.number:
        return found
    for one in undone.spots:
        newest = later.get((one.site, one.agent))
        if newest is not None:
            raise _superseded(undone.number, one, newest)
    return None


def _words(spot: Spot) -> str:
    site, agent = spot
    return f"site {site!r} in agent {agent!r}" if agent else f"site {site!r}"


def _known(change: OverrideChange | None, number: int) -> OverrideChange:
    if change is None:
        raise Problem(404, f"There is no change {number} of overrides, or it is forgotten.", number=number)
    return change


def _absent(spot: Spot) -> Problem:
    return Problem(404, f"There is no override of {_words(spot)}.", site=spot[0], agent=spot[1])


def _stale(detail: str, tag: str | None) -> Problem:
    fields = () if tag is None else (("ETag", f'"{tag}"'),)
    return Problem(412, f"{detail} Read it again, and decide anew.", fields=fields, etag=tag)


def _superseded(number: int, spot: SpotChange, newest: int) -> Problem:
    where = _words((spot.site, spot.agent))
    detail = f"Change {number} is not the last of {where}, which is change {newest}: undo that first."
    return Problem(409, detail, number=number, last=newest)


def _ended(number: int, before: Override) -> Problem:
    where = _words(before.spot)
    detail = f"What was before change {number} at {where} was to end at {iso(before.until)}, which is over."
    return Problem(409, detail, number=number, until=iso(before.until))


def _unavailable(what: str, error: StoreError) -> Problem:
    seconds = "1" if isinstance(error, StoreBusyError) else "5"
    return Problem(503, f"{what}: {error}", fields=(("Retry-After", seconds),))
