"""What a change of overrides would do, told before it is done."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from rcmon.documents import keys
from rcmon.documents.why import Age
from rcmon.model import AgentExpected
from rcmon.rules.foreseeing import Foreseen, OverridesMove, SiteValues, foresee
from rcmon.rules.overriding import by_place
from rcmon.timestamps import iso
from rcmon.web.api.overrides import Intended, places_of
from rcmon.web.board import Held


class ForeseenShape(Struct, frozen=True):
    """What would change at one site in one agent; null is not known."""

    agent: str
    site: str
    before: SiteValues
    after: SiteValues
    cache_rebuilt: bool | None
    """Whether the agent's JobSubmitter makes its cache of jobs anew."""
    idle_jobs_killed: int | None
    """Idle jobs that may run at no other site."""
    as_of: str | None
    """When the agent was polled for this."""
    stale: bool


class PreviewDocument(Struct, frozen=True):
    """What would be done; nothing was."""

    preview: bool
    timestamp: str | None
    changes: int
    """How many overrides would be made, changed or ended; 0: all is as is wanted."""
    agents: Sequence[ForeseenShape]
    """By site and agent, where anything would change."""
    caches_rebuilt: int | None
    """In how many agents; null: not known of every one."""
    idle_jobs_killed: int | None
    """In all agents; null: not known of every one."""
    unknown: Sequence[str]
    """What is not known, and why."""
    needs_force: str | None
    """Why it needs `?force`; null: it does not."""


async def preview(held: Held, plan: Intended, now: float) -> PreviewDocument:
    """Tell what changes would do to what the newest snapshot holds. Problem 503 where it does not say."""
    changes = plan.changes
    before, after = by_place(plan.overrides), plan.after
    why = await held.why()
    expected = await held.decoded(keys.EXPECTED, dict[str, AgentExpected])
    places = {site: places_of(why, site) for site in {one.site for one in changes}}
    spots = [(one.site, one.agent) for one in changes]
    found = list(foresee(OverridesMove(before, after, now), spots, places, expected))
    return PreviewDocument(
        preview=True,
        timestamp=iso(held.facts.started),
        changes=len(changes),
        agents=[_shape(one, why.agents[one.agent]) for one in found],
        caches_rebuilt=_rebuilt(found),
        idle_jobs_killed=_killed(found),
        unknown=list(_unknown(found)),
        needs_force=plan.needs_force,
    )


def _shape(one: Foreseen, age: Age) -> ForeseenShape:
    return ForeseenShape(
        agent=one.agent,
        site=one.site,
        before=one.before,
        after=one.after,
        cache_rebuilt=one.cache_rebuilt,
        idle_jobs_killed=one.idle_jobs_killed,
        as_of=iso(age.polled_at),
        stale=age.stale,
    )


def _rebuilt(found: Iterable[Foreseen]) -> int | None:
    """Count agents, not sites: one cache each, whatever changes at once."""
    told: dict[str, bool | None] = {}
    for one in found:
        if one.cache_rebuilt or one.agent not in told:
            told[one.agent] = one.cache_rebuilt
        elif one.cache_rebuilt is None and not told[one.agent]:
            told[one.agent] = None
    return None if None in told.values() else sum(map(bool, told.values()))


def _killed(found: Sequence[Foreseen]) -> int | None:
    counts = [one.idle_jobs_killed for one in found]
    return None if None in counts else sum(filter(None, counts))


def _unknown(found: Iterable[Foreseen]) -> Iterable[str]:
    for one in found:
        where = f"{one.site} in {one.agent}"
        if one.before.state is None:
            yield f"{where}: its state now"
        if one.after.state is None:
            yield f"{where}: its state without an override"
        if one.before.state is not None and one.after.state is not None and one.idle_jobs_killed is None:
            yield f"{where}: how many idle jobs are killed, since no job ads of the agent are known"
        for name in ("running_slots", "pending_slots"):
            if getattr(one.after, name) is None and getattr(one.before, name) is not None:
                yield f"{where}: its {name.replace('_', ' ')} without an override"
