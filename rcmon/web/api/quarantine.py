"""What upstream says and is not let pass: told to all, released or rejected by operators."""

from collections.abc import Callable, Sequence

from msgspec import Struct, structs

from rcmon.errors import StoreError
from rcmon.model.journal import QUARANTINE, JournalEntry
from rcmon.model.steering import Decision, Proposal, Quarantine, Word
from rcmon.store import Store
from rcmon.store.journal import add_entries
from rcmon.store.steering import decide, read_quarantine, read_quarantines
from rcmon.timestamps import iso
from rcmon.web.answers.problems import Problem
from rcmon.web.api.content import read_json
from rcmon.web.api.override_body import Reason
from rcmon.web.api.steering import unavailable
from rcmon.web.transport.request import Request

LARGEST = 16 << 10
"""Bytes of a decision."""


class DecisionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why an operator decides so."""

    reason: Reason


class WordShape(Struct, frozen=True):
    """What is said of one site."""

    prod_status: str | None
    core_cpu_intensive: int | None
    core_io_intensive: int | None


class ProposalShape(Struct, frozen=True):
    """What would change at one site."""

    site: str
    before: WordShape | None
    after: WordShape
    """What becomes effective where it is released."""
    missing: bool
    """Whether upstream does not name the site any more."""


class QuarantineShape(Struct, frozen=True):
    """What is held, and what was decided of it."""

    id: str
    cause: str
    message: str
    opened: str | None
    whole: bool
    """Whether the whole document is held, or these sites of it."""
    decision: str
    """held, released (it becomes effective with the next cycle) or rejected."""
    decided: str | None
    by: str | None
    reason: str | None
    sites: Sequence[ProposalShape]


class QuarantineDocument(Struct, frozen=True):
    """All that is held."""

    count: int
    quarantine: Sequence[QuarantineShape]


class QuarantineDesk:
    """Tells what is held, and takes what operators decide."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock

    async def told(self) -> QuarantineDocument:
        """Tell what is held now. Problem 503 where that cannot be read."""
        try:
            async with self._store.reading() as connection:
                found = await read_quarantines(connection)
        except StoreError as error:
            raise unavailable("It cannot be read", error) from error
        return QuarantineDocument(len(found), [_shape(one) for one in found])

    async def decide(self, name: str, decision: Decision, request: Request) -> None:
        """Keep what an operator decides of exactly what he saw; when this ends it is there for good.

        Once more changes nothing. Problem 404 where there is none of that id, 409 where it ended or
        was released already; 503 where the store does not take it now.
        """
        said = read_json(request.headers, request.body, LARGEST, DecisionBody, "decision")
        now, by = self._clock(), str(request.peer.identity.subject)
        try:
            async with self._store.adding() as connection:
                found = await read_quarantine(connection, name)
                if found is None:
                    raise Problem(404, f"There is no quarantine {name[:100]!r}.", id=name[:100])
                before, ended = found
                if before.decision == decision:
                    return
                if ended is not None or before.decision == "released":
                    raise _too_late(before, ended)
                if not await decide(connection, before, decision, now=now, by=by, reason=said.reason):
                    raise _too_late(before, now)
                after = structs.replace(before, decision=decision)
                entry = JournalEntry(
                    now,
                    QUARANTINE.name,
                    before.told(),
                    after.told(),
                    subject=before.id,
                    cause=said.reason,
                    by=by,
                )
                await add_entries(connection, [entry])
        except StoreError as error:
            raise unavailable("The decision is not kept", error) from error


def _too_late(before: Quarantine, ended: float | None) -> Problem:
    how = "was released" if before.decision == "released" else f"ended at {iso(ended)}"
    detail = f"Quarantine {before.id} {how}: upstream may say something else by now; look at what is held."
    return Problem(409, detail, id=before.id, decision=before.decision)


def _shape(one: Quarantine) -> QuarantineShape:
    return QuarantineShape(
        one.id,
        one.cause,
        one.message,
        iso(one.opened),
        one.whole,
        one.decision,
        iso(one.decided),
        one.by,
        one.reason,
        [_proposal(proposal) for proposal in one.proposals],
    )


def _proposal(one: Proposal) -> ProposalShape:
    before = None if one.before is None else _word(one.before)
    return ProposalShape(one.site, before, _word(one.after), one.missing)


def _word(word: Word) -> WordShape:
    return WordShape(word.status, word.cpu, word.io)
