"""Where agents hold other states and thresholds than are expected, and why. Pure.

A value that is as the updater would leave it can still differ from what the site's capacity and status alone
give: `floor`, `ghost_agent`, `forced_down`. Any other that differs has the first reason that holds.
"""

from collections.abc import Iterator, Mapping

from rcmon.model import AgentSite, Awaited, Drift, DriftCell, Forecast, Manual, SiteExpected, Snapshot
from rcmon.rules.compared import Compared, Plan, plan_of, why_not_yet
from rcmon.rules.drift_slots import slots_drift
from rcmon.rules.thresholds import state_of
from rcmon.rules.words import manual_words, status_words

_NONE: Mapping[str, Awaited] = {}


def drifts(snapshot: Snapshot) -> Iterator[Drift]:
    """List what differs, by agent and site."""
    sites = snapshot.upstream().sites or {}
    stale = stale_input(snapshot)
    plans: dict[int, Plan] = {}
    for name, about in snapshot.expected.items():
        agent = snapshot.agents[name]
        if about.missing is not None and agent.updater.enabled:
            cell = DriftCell(None, "thresholds", None, None)
            yield Drift(name, None, "missing_input", f"{about.missing}.", (cell,))
        awaited = snapshot.forecasts[name].awaited if name in snapshot.forecasts else Forecast().awaited
        for site, want in about.sites.items():
            held = agent.sites[site]
            # agents share what is expected of a site: the same object is planned once
            plan = plans.get(id(want)) or plans.setdefault(id(want), plan_of(want))
            tasks_right = plan.tasks_right(held)
            if plan.plain and tasks_right and not about.fair and _is_right(held, want):
                continue
            seen = Compared(
                name,
                site,
                held,
                want,
                about,
                agent.updater,
                sites.get(site),
                stale,
                awaited.get(site, _NONE),
                snapshot.started,
                tasks_right,
            )
            yield from _state(seen)
            yield from slots_drift(seen)


def _is_right(held: AgentSite, want: SiteExpected) -> bool:
    return (held.state, held.running_slots, held.pending_slots) == (
        want.state,
        want.running_slots,
        want.pending_slots,
    )


def stale_input(snapshot: Snapshot) -> str | None:
    """Say which source of the sites' status is stale; None: none is."""
    for state in snapshot.sources:
        given = snapshot.given.get(state.name)
        if state.stale and given is not None and given.sites is not None:
            return f"source {state.name} is stale: {state.error or 'its poll is late'}"
    return None


def _state(seen: Compared) -> Iterator[Drift]:
    want, held = seen.want, seen.site.state
    if held is None:
        return
    if want.state is None:
        detail = f"{status_words(seen.name, seen.status)}: the updater leaves {held} as it is."
        yield seen.drift("missing_input", detail, DriftCell(None, "state", None, held))
    elif held != want.state:
        reason, detail = _why_state(seen)
        yield seen.drift(reason, detail, DriftCell(None, "state", want.state, held))
    elif want.state != want.natural:
        listed = seen.name in seen.settings.force_site_down
        why = "is in its forceSiteDown" if listed else "is not known to the site status board, onlySSB is set"
        detail = f"{seen.agent} forces {seen.name} Down: it {why}."
        yield seen.drift("forced_down", detail, DriftCell(None, "state", want.natural, held))


def _why_state(seen: Compared) -> tuple[str, str]:
    if seen.stale is not None:
        return "stale_input", f"{seen.stale}."
    manual = seen.status.manual if seen.status else None
    if manual is not None and _speaks(manual, seen):
        return "manual", f"{manual_words(seen.name, manual)}."
    return why_not_yet(seen, "state")


def _speaks(manual: Manual, seen: Compared) -> bool:
    made = state_of(manual.status, tier0=bool(seen.about.tier0))
    return made is not None and made in (seen.want.state, seen.site.state)
