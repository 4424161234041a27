"""What is not as it should be, found in what this worker sees of the service and of the agents."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from rcmon.access.authority.crl import CrlStatus
from rcmon.documents.health import AgentHealth
from rcmon.documents.shapes import Facts
from rcmon.model import SourceState
from rcmon.process.slot import Slot
from rcmon.process.trouble import Ending, Trouble
from rcmon.web.api.reasons import Reason, because

LATE = 2
"""Intervals after which the next snapshot is late: one to begin it, one more that it may take."""
TOO_OLD = 5
"""Intervals after which a snapshot says nothing about now."""
FALLS = 3
"""So many starts in a row that failed are no accident."""
PROVEN = 60.0
"""Seconds that a process must live to be well after these."""
LAGS = 5.0
"""Seconds that a loop is held up from which on clients notice."""


class Evidence(Struct, frozen=True, kw_only=True):
    """What a worker sees. Times: seconds since the epoch."""

    now: float
    facts: Facts | None
    """Of the snapshot that is served."""
    interval: float
    """Of cycles, seconds."""
    store_error: str | None
    processes: Mapping[str, Slot]
    troubles: Sequence[Trouble]
    crls: Sequence[CrlStatus]
    certificate_until: float | None


def age(since: float | None, now: float, slack: float) -> float | None:
    """Count the seconds since a time; None where it is not known, or later than now by more than `slack`.

    What is from the future is not young: the clocks differ, and nobody knows how old it is.
    """
    if since is None or since - now > slack:
        return None
    return round(max(now - since, 0.0), 3)


def diagnose(seen: Evidence) -> tuple[Reason, ...]:
    """Find every reason, the worst first."""
    found = [
        *_snapshot(seen),
        *_sources(seen),
        *_agents(seen),
        *_trust(seen),
        *_store(seen),
        *_processes(seen),
        *_troubles(seen.troubles),
    ]
    return tuple(sorted(found, key=lambda reason: reason.level != "unhealthy"))


def _snapshot(seen: Evidence) -> Iterator[Reason]:
    if seen.facts is None:
        yield because("no_snapshot", "there is no snapshot yet")
        return
    started, interval = seen.facts.started, seen.interval
    old = seen.now - started
    if old > TOO_OLD * interval:
        text = f"the snapshot is {old:.0f} s old, more than {TOO_OLD} cycle intervals of {interval:g} s"
        yield because("data_old", text, None, started)
    elif old > LATE * interval:
        text = f"the cycle is late: the last one began {old:.0f} s ago, the interval is {interval:g} s"
        yield because("cycle_late", text, None, started)
    elif old < -interval:
        text = f"the snapshot is {-old:.0f} s later than the clock of this machine: ages are not known"
        yield because("clock_differs", text)


def _sources(seen: Evidence) -> Iterator[Reason]:
    sources = seen.facts.sources if seen.facts else ()
    if sources and not any(source.up for source in sources):
        all_of_them = "the only source is" if len(sources) == 1 else f"all {len(sources)} sources are"
        yield because("sources_down", f"{all_of_them} down")
    for source in sources:
        yield from _ailing(source, seen)


def _ailing(source: SourceState, seen: Evidence) -> Iterator[Reason]:
    last = source.last_success
    if not source.up:
        text = f"source {source.name} is down: {source.error or 'no poll yet'}"
        yield because("source_down", text, source.name, last)
        if last is not None and not source.stale:
            text = f"the last data of source {source.name} are too old to show: nothing of it is known"
            yield because("source_lost", text, source.name, last)
    if source.stale:
        old, waiting = (age(since, seen.now, seen.interval) for since in (last, source.polling_since))
        known = "" if old is None else f", {old:.0f} s old"
        waits = "" if waiting is None else f"; its poll has run for {waiting:.0f} s"
        text = f"the data of source {source.name} is stale{known}{waits}"
        yield because("data_stale", text, source.name, last)


def _agents(seen: Evidence) -> Iterator[Reason]:
    for agent in seen.facts.health if seen.facts else ():
        yield from _failing(agent)


def _failing(agent: AgentHealth) -> Iterator[Reason]:
    if agent.dead:
        since = [component.since for component in agent.down if component.since is not None]
        first = agent.down[0]
        text = f"agent {agent.name} is down: {agent.death} ({first.name}, {first.problem})"
        yield because("agent_down", text, agent.name, max(since, default=None))
        return
    for component in agent.down:
        text = f"component {component.name} of agent {agent.name} is down: {component.problem}"
        yield because("component_down", text, f"{agent.name}/{component.name}", component.since)


def _trust(seen: Evidence) -> Iterator[Reason]:
    until = seen.certificate_until
    if until is not None and until <= seen.now:
        yield because("certificate_expired", "the server's certificate has expired", None, until)
    for crl in seen.crls:
        if crl.error is not None:
            text = f"revocation list {crl.file} is refused: {crl.error}"
            yield because("crl_refused", text, crl.file)
        if crl.next_update is not None and crl.next_update <= seen.now:
            text = f"the revocation list of {crl.issuer} is overdue: that CA's users are refused"
            yield because("crl_overdue", text, crl.file, crl.next_update)


def _store(seen: Evidence) -> Iterator[Reason]:
    if seen.store_error is not None:
        yield because("store_unreadable", f"the store cannot be read: {seen.store_error}")


def _processes(seen: Evidence) -> Iterator[Reason]:
    for name, slot in seen.processes.items():
        ending = slot.last_ending
        told = "" if ending is None else f": {ending}"
        if slot.pid is None:
            text = f"process {name} is not running{told}"
            yield because("process_down", text, name, ending.at if ending else None)
        elif ending is not None and _falls_again(slot, seen.now):
            text = f"process {name} ended {slot.failures} times in a row just after its start{told}"
            yield because("process_falls", text, name, ending.at)
        elif ending is not None and _ended_lately(ending, seen):
            text = f"process {name} ended {seen.now - ending.at:.0f} s ago{told} (restarts: {slot.restarts})"
            yield because("process_ended", text, name, ending.at)

        if slot.loop_lag is not None and slot.loop_lag >= LAGS:
            text = f"process {name} answers late: its loop was held up for {slot.loop_lag:.0f} s"
            yield because("process_lags", text, name)


def _ended_lately(ending: Ending, seen: Evidence) -> bool:
    return ending.cause != "recycle" and 0 <= seen.now - ending.at <= LATE * seen.interval


def _falls_again(slot: Slot, now: float) -> bool:
    """Tell whether the occupant follows several that fell, and has not yet shown that it does not."""
    return slot.failures >= FALLS and (slot.started is None or now - slot.started < PROVEN)


def _troubles(troubles: Sequence[Trouble]) -> Iterator[Reason]:
    """Bring together what several processes say in the same words, as all workers do of one file."""
    same: dict[tuple[str, str], list[Trouble]] = {}
    for trouble in troubles:
        same.setdefault((trouble.what, trouble.reason), []).append(trouble)
    for (what, reason), said in same.items():
        who = ", ".join(dict.fromkeys(trouble.process for trouble in said))
        words = what.replace("_", " ")
        text = reason if reason.lower().startswith(words) else f"{words}: {reason}"
        yield because(f"{what}_trouble", text, who, min(trouble.since for trouble in said))
