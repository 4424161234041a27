"""Why work does not run at a site, as its page shows it: let in, submitted, matched, for each agent."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from rcmon.documents.why import AdmissionShape, Answer, Numbers, SiteAdmission, WhyDocument
from rcmon.rules.reasons import REASONS
from rcmon.web.page.overview import number

_STAGES: Mapping[str, str] = {
    "agent_queue": "From the global queue to the agent",
    "database": "From the agent's queue into jobs",
}
_UNTOLD = "nothing that was kept stands against them"
"""Of a past moment: see `rcmon.rules.sentences`, which says it of each."""
_ORDER = {name: place for place, name in enumerate(REASONS)}


class LetIn(Struct, frozen=True):
    """What one stage lets in."""

    stage: str
    words: str
    detail: str
    kind: str
    """good, warn, bad or dim: how it is coloured."""


class HeldBack(Struct, frozen=True):
    """Task types that one sentence speaks of."""

    tasks: Sequence[str]
    reason: str | None
    tier: str | None
    sentence: str
    kind: str


class TaskRow(Struct, frozen=True):
    """The figures of one task type."""

    task: str
    submits: str
    kind: str
    numbers: Numbers
    refused: str


class AgentWhy(Struct, frozen=True):
    """One agent's three layers."""

    agent: str
    let_in: Sequence[LetIn]
    held: Sequence[HeldBack]
    """Where jobs are not submitted, or not known to be; what a person mends first stands first."""
    submitted: Sequence[str]
    """Task types that nothing stands against."""
    tasks: Sequence[TaskRow]
    matching: bool
    """Whether job ads are known, by which it is told what could run here."""

    @property
    def first(self) -> HeldBack | None:
        """Give what is to be mended first."""
        return self.held[0] if self.held else None

    @property
    def blocked(self) -> int:
        """Count the task types of which no job is submitted, or not known to be."""
        return sum(row.kind != "good" for row in self.tasks)


def by_agent(told: WhyDocument) -> Mapping[str, AgentWhy]:
    """Put the answers about one site together by agent."""
    answers: dict[str, list[Answer]] = {}
    for one in told.answers:
        answers.setdefault(one.agent, []).append(one)
    admitted = {one.agent: one for one in told.sites}
    return {
        name: _agent(name, answers.get(name, []), admitted.get(name))
        for name in sorted({*answers, *admitted})
    }


def _agent(name: str, answers: Sequence[Answer], admitted: SiteAdmission | None) -> AgentWhy:
    return AgentWhy(
        agent=name,
        let_in=[_let_in(one) for one in (admitted.admission if admitted else None) or ()],
        held=_held(answers),
        submitted=[one.task for one in answers if one.reason is None and one.submits],
        tasks=[_task(one) for one in answers],
        matching=any(one.numbers.matching_idle is not None for one in answers),
    )


def _let_in(one: AdmissionShape) -> LetIn:
    words, kind = {
        "all": ("all work", "good"),
        "above": (f"above priority {number(one.floor)} only", "warn"),
        "none": ("nothing", "bad"),
    }.get(one.admits or "", ("not known", "dim"))
    detail = f"{_rounded(one.counted)} of {_rounded(one.limit)} jobs"
    return LetIn(_STAGES.get(one.stage, one.stage), words, detail, kind)


def _rounded(value: float | None) -> str:
    return "an unknown number" if value is None else number(round(value))


def _held(answers: Sequence[Answer]) -> Sequence[HeldBack]:
    """Say each sentence once, with the task types that it is of."""
    groups: dict[tuple[str | None, str], list[Answer]] = {}
    for one in answers:
        if one.reason is not None or one.submits is None:
            said = _UNTOLD if one.reason is None else one.detail
            groups.setdefault((one.reason, said), []).append(one)
    found = [
        HeldBack([one.task for one in same], reason, same[0].tier, sentence, _kind(same[0]))
        for (reason, sentence), same in groups.items()
    ]
    return sorted(found, key=lambda held: (held.kind == "warn", _ORDER.get(held.reason or "", len(_ORDER))))


def _kind(one: Answer) -> str:
    if one.submits is None:
        return "dim"
    if one.submits:
        return "good" if one.reason is None else "warn"
    return "warn" if one.tier == "capacity" else "bad"


def _task(one: Answer) -> TaskRow:
    words = {True: "submitted", False: "not submitted", None: "not known"}[one.submits]
    refused = ", ".join(
        f"{number(count)} {token}" for token, count in (one.numbers.refused or {}).items() if count
    )
    return TaskRow(one.task, words, "good" if one.submits else _kind(one), one.numbers, refused)
