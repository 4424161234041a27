"""Which verdicts a query selects, and what is answered of them."""

import asyncio
import base64
import fnmatch
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from rcmon.documents.then import Then
from rcmon.documents.why import (
    AdmissionShape,
    Age,
    Answer,
    Numbers,
    SiteAdmission,
    WhyDocument,
)
from rcmon.errors import UNREADABLE
from rcmon.model import Cell, Place
from rcmon.rules.reasons import REASONS
from rcmon.rules.sentences import detail, overflow_priority
from rcmon.timestamps import iso
from rcmon.web.answers.problems import Problem
from rcmon.web.api.query import AgentGlob, At, Many, Pretty, SiteGlob, TaskGlob

MOST = 2000
"""Answers of a page: a megabyte, which is written within some milliseconds."""
_AT_ONCE = 20
"""Sites looked through before other requests get their turn: some milliseconds' work."""
_ANSWERS_AT_ONCE = 200
Reason = Literal[
    "threshold_missing", "slots_unknown", "task_slots_zero", "site_slots_zero", "cms_name_missing",
    "plugin_missing", "state_unknown", "site_aborted", "site_forced_down", "site_down", "site_draining",
    "agent_silent", "submitter_down", "agent_drain", "creator_down", "agent_full",
    "site_pending_full", "task_pending_full", "site_running_full", "task_running_full", "priority_unknown",
]  # fmt: skip
"""One of `rcmon.rules.reasons.REASONS`."""
Cursor = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_=-]{1,2000}$(?!\n)", description="what stands in `next` of a page before")
]
Key = tuple[str, str, str]
"""Names of the site, the agent and the task type: the order of the answers."""
Sites: TypeAlias = Mapping[str, Raw] | Mapping[str, Sequence[Place]]
"""By name, sorted: each site's verdicts by agent, as MessagePack or as they are."""
_PLACES = msgspec.msgpack.Decoder(tuple[Place, ...])
_KEYS = msgspec.json.Decoder(Key)


class WhyQuery(Pretty, frozen=True, kw_only=True):
    """What is asked: lists are alternatives, different parameters must all hold."""

    site: Many[SiteGlob] = ()
    agent: Many[AgentGlob] = ()
    task: Many[TaskGlob] = ()
    reason: Many[Reason] = ()
    blocked: Literal["true", "false"] | None = None
    """Whether jobs are, for a reason, not submitted or not known to be."""
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 1000
    cursor: Cursor = ""
    at: At = ""

    @property
    def by_verdict(self) -> bool:
        """Whether it depends on verdicts which answers are wanted."""
        return bool(self.reason) or self.blocked is not None


class Chosen(Struct):
    """What a query selects: a page of it, and how many there are."""

    page: list[tuple[str, Place, Cell]]
    total: int = 0
    more: bool = False
    """Whether there are any behind the page."""


async def select(sites: Sites, wanted: WhyQuery) -> Chosen:
    """Look through the sites, and take what is wanted behind the cursor. Raises Problem 400."""
    after, chosen = read_cursor(wanted.cursor), Chosen([])
    site, agent, task = map(_pattern, (wanted.site, wanted.agent, wanted.task))
    async for name, places in _sites(sites, site):
        for place in places:
            if not agent(place.agent):
                continue
            cells: Sequence[Cell] = place.cells
            if wanted.task or wanted.by_verdict:
                cells = [cell for cell in cells if task(cell.task) and _holds(cell, wanted)]
            chosen.total += len(cells)
            if after is not None:
                cells = [cell for cell in cells if (name, place.agent, cell.task) > after]
            room = wanted.limit - len(chosen.page)
            chosen.page += [(name, place, cell) for cell in cells[:room]]
            chosen.more = chosen.more or len(cells) > room
    return chosen


async def _sites(sites: Sites, wanted: Callable[[str], object]) -> AsyncIterator[tuple[str, Sequence[Place]]]:
    for number, name in enumerate(filter(wanted, sites), 1):
        yield name, _places(sites[name])
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)


def _places(found: Raw | Sequence[Place]) -> Sequence[Place]:
    return _PLACES.decode(found) if isinstance(found, Raw) else found


def _holds(cell: Cell, wanted: WhyQuery) -> bool:
    blocked = cell.submits is not True and cell.reason is not None
    if wanted.blocked is not None and blocked is not (wanted.blocked == "true"):
        return False
    return not wanted.reason or cell.reason in wanted.reason


def _pattern(globs: Sequence[str]) -> Callable[[str], object]:
    """Make one test of several patterns; a name must match as a whole, and any does without them."""
    return re.compile("|".join(map(fnmatch.translate, globs)) if globs else "").match


def write_cursor(key: Key) -> str:
    """Write behind which answer a list goes on."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode()


def read_cursor(text: str) -> Key | None:
    """Read that; None where there is none. Raises Problem 400."""
    if not text:
        return None
    try:
        key: Key = _KEYS.decode(base64.urlsafe_b64decode(text))
    except UNREADABLE:
        allowed = "what stands in `next` of a page before"
        detail = f"Parameter 'cursor' has the value {text[:200]!r}; allowed is {allowed}."
        raise Problem(400, detail, parameter="cursor", value=text[:200], allowed=allowed) from None
    return key


async def document(
    timestamp: str | None,
    chosen: Chosen,
    ages: Mapping[str, Age],
    more: str | None,
    past: Then | UnsetType = UNSET,
) -> WhyDocument:
    """Make the page; `more` is where it goes on."""
    answers = []
    for number, one in enumerate(chosen.page, 1):
        answers.append(_answer(*one))
        if number % _ANSWERS_AT_ONCE == 0:
            await asyncio.sleep(0)
    places = {(site, place.agent): place for site, place, _ in chosen.page}
    return WhyDocument(
        timestamp=timestamp,
        count=len(chosen.page),
        total=chosen.total,
        next=more,
        answers=answers,
        sites=[
            _admission(site, place, ages) if past is UNSET else _unknown_admission(site, place)
            for (site, _), place in places.items()
        ],
        past=past,
    )


def of_site(sites: Sites, site: str) -> Chosen | None:
    """Take all of one site; None: there is no such site."""
    if site not in sites:
        return None
    places = _places(sites[site])
    page = [(site, place, cell) for place in places for cell in place.cells]
    return Chosen(page, len(page))


def _answer(site: str, place: Place, cell: Cell) -> Answer:
    kind = REASONS.get(cell.reason) if cell.reason is not None else None
    return Answer(
        agent=place.agent,
        site=site,
        task=cell.task,
        submits=cell.submits,
        condition=cell.condition,
        reason=cell.reason,
        tier=kind.tier if kind else None,
        detail=detail(site, place, cell),
        numbers=Numbers(
            place.pending,
            place.pending_slots,
            place.running,
            place.running_slots,
            cell.pending,
            cell.pending_slots,
            cell.running,
            cell.max_slots,
            cell.priority,
            cell.wf_highest_priority,
            overflow_priority(place, cell),
            cell.matching_idle,
            cell.unique_idle,
            cell.submitted,
            cell.refused,
        ),
    )


def _unknown_admission(site: str, place: Place) -> SiteAdmission:
    return SiteAdmission(place.agent, site, place.state, None, None, None)


def _admission(site: str, place: Place, ages: Mapping[str, Age]) -> SiteAdmission:
    age = ages.get(place.agent)
    return SiteAdmission(
        agent=place.agent,
        site=site,
        state=place.state,
        as_of=iso(age.polled_at) if age else None,
        stale=age.stale if age else True,
        admission=[
            AdmissionShape(one.stage, one.admits, one.floor, one.limit, one.counted)
            for one in place.admission
        ],
    )
