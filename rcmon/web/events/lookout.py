"""What is new, as one worker sees it: in the newest snapshot and in the journal."""

import asyncio
import logging
from collections.abc import Sequence

from msgspec import structs

from rcmon.documents.shapes import AcknowledgementShape
from rcmon.errors import StoreError
from rcmon.model.journal import ACKNOWLEDGEMENT, JournalEntry
from rcmon.store import Store
from rcmon.store.journal import NumberedEntry, read_news
from rcmon.store.snapshots import load_between
from rcmon.timestamps import iso
from rcmon.web.answers.problems import Problem
from rcmon.web.api.events import FindingEvent, ReloadEvent
from rcmon.web.api.findings import Acknowledgements, joined, listed
from rcmon.web.board import Board, Held
from rcmon.web.events.ledger import READ, Ledger, SnapshotNews
from rcmon.web.events.occurrence import Happened
from rcmon.web.events.place import EventPlace, read_place

LOG = logging.getLogger(__name__)

MOST = 2000
"""Entries of the journal that are told of at once, or after a break."""


class Lookout:
    """Compares what there is with what was told last."""

    def __init__(self, board: Board, store: Store, acknowledgements: Acknowledgements) -> None:
        self._board, self._store, self._acknowledgements = board, store, acknowledgements
        self._ledger = Ledger()
        self._journal: int | None = None
        """The last entry that was told; None: nobody listens."""
        self._turn = asyncio.Lock()

    @property
    def place(self) -> EventPlace | None:
        """All up to there was told; None: there is no snapshot yet."""
        place = self._ledger.place
        return None if place is None else structs.replace(place, journal=self._journal)

    def rest(self) -> None:
        """Let what the journal gets from now on be nobody's news, until the next look."""
        self._journal = None

    async def look(self) -> Happened | None:
        """Give what is new since the last look; None: nothing."""
        async with self._turn:
            before = self._ledger.place
            follows = await self._take()
            entries = await self._new_entries()
            place = self.place
            if place is None or (follows is None and not entries):
                return None
            if follows is False:
                return _reload(place, "There is a snapshot that does not follow the last.")
            news = self._ledger.since(before.snapshot) if follows and before else None
            return await self._happened(place, news, entries)

    async def missed(self, since: str) -> Happened | None:
        """Give what happened behind a place, as it was written; None: there is nothing at all yet.

        Nothing but the present place for an empty one.
        """
        now = self.place
        if now is None or not since:
            return None if now is None else Happened(place=now)
        place = read_place(since)
        if place is None or not self._ledger.knows(place):
            return _reload(now, "What changed since the last event that was seen is not known here.")
        news = self._ledger.since(place.snapshot) if place.snapshot != now.snapshot else None
        entries: Sequence[NumberedEntry] = ()
        if place.journal is not None and now.journal is not None:
            try:
                _, later = await self._store.look(
                    lambda connection: read_news(connection, place.journal, MOST)
                )
                entries = [one for one in later if one.number <= now.journal]
            except StoreError:
                return _reload(now, "What the journal got meanwhile cannot be read just now.")
            if len(entries) == MOST:
                return _reload(now, "The journal got more meanwhile than is told at once.")
        return await self._happened(now, news, entries)

    async def _take(self) -> bool | None:
        """Take the board's snapshot; whether it follows the last one, None: there is no other."""
        held = self._board.current
        if held is None or held is self._ledger.newest:
            return None
        try:
            await self._take_earlier(held.number)
            return await self._ledger.take(held)
        except Problem as problem:
            LOG.debug("no events of snapshot %d: %s", held.number, problem.detail)
            return None

    async def _take_earlier(self, number: int) -> None:
        """Take what the store still has before a snapshot: a client may know it from another process."""
        newest = self._ledger.newest
        try:
            after = newest.number if newest else 0
            for one in await self._store.look(
                lambda connection: load_between(connection, after, number, READ)
            ):
                await self._ledger.take(Held(one))
        except (StoreError, Problem) as error:
            LOG.debug("what was before snapshot %d cannot be compared: %s", number, error)

    async def _new_entries(self) -> Sequence[NumberedEntry]:
        try:
            begin, entries = await self._store.look(
                lambda connection: read_news(connection, self._journal, MOST)
            )
        except StoreError:
            return ()  # the board tells of the store's trouble
        self._journal = begin
        if entries:
            self._journal = entries[-1].number
        return entries

    async def _news(self, number: int | None) -> tuple[int, Sequence[NumberedEntry]]:
        return await self._store.look(lambda connection: read_news(connection, number, MOST))

    async def _happened(
        self, place: EventPlace, news: SnapshotNews | None, entries: Sequence[NumberedEntry]
    ) -> Happened:
        findings = await self._findings(news) if news else []
        return Happened(
            place=place,
            snapshot=news,
            findings=[*findings, *self._acknowledged(entries)],
            entries=entries,
        )

    async def _findings(self, news: SnapshotNews) -> list[FindingEvent]:
        """Tell what became of the findings, as they are acknowledged now."""
        changed = joined(news.findings.changed, await self._acknowledgements.in_force())
        events = [
            FindingEvent("raised" if index in news.findings.came else "changed", news.cycle, one)
            for index, one in enumerate(changed)
        ]
        return events + [FindingEvent("ended", news.cycle, one) for one in news.findings.gone]

    def _acknowledged(self, entries: Sequence[NumberedEntry]) -> list[FindingEvent]:
        """Tell which of the findings that are there were acknowledged, as the journal has it."""
        held = self._ledger.newest
        last = {one.entry.subject: one.entry for one in entries if one.entry.kind == ACKNOWLEDGEMENT.name}
        if held is None or not last:
            return []
        return [
            FindingEvent(
                "acknowledged",
                held.number,
                structs.replace(one, acknowledgement=_acknowledgement(last[one.id])),
            )
            for one in listed(held)
            if one.id in last
        ]


def _reload(place: EventPlace, reason: str) -> Happened:
    return Happened(place=place, reload=ReloadEvent(place.snapshot, reason))


def _acknowledgement(entry: JournalEntry) -> AcknowledgementShape | None:
    if entry.new is None:
        return None
    return AcknowledgementShape(
        entry.by or "", iso(entry.time), entry.new.get("until"), entry.new.get("reason", "")
    )
