"""Where an agent's slots at a site are others than expected, and why. Pure."""

from collections.abc import Iterator

from rcmon.model import CPU_TASKS, IO_TASKS, Drift, DriftCell, SiteExpected
from rcmon.rules.compared import Compared, why_not_yet
from rcmon.rules.thresholds import has_row, pending_differs, site_slots

_GROUPS = (("cpu", CPU_TASKS), ("io", IO_TASKS), ("Express", ("Express",)), ("Repack", ("Repack",)))
"""Task types that are written together."""


def slots_drift(seen: Compared) -> Iterator[Drift]:
    """Compare the site's slots, and its task types'."""
    want, site = seen.want, seen.site
    if want.running_slots is None:
        detail = (
            f"the site status board has no cores for {seen.name}: the updater leaves its slots as they are."
        )
        running = DriftCell(None, "running_slots", None, site.running_slots)
        yield seen.drift(
            "missing_input", detail, running, DriftCell(None, "pending_slots", None, site.pending_slots)
        )
        return
    own = tuple(
        DriftCell(None, what, expected, held)
        for what, expected, held in (
            ("running_slots", want.running_slots, site.running_slots),
            ("pending_slots", want.pending_slots, site.pending_slots),
        )
        if expected is not None and expected != held
    )
    if own:
        yield seen.drift(*_why_slots(seen, "slots", own), *own)
    if not seen.tasks_right:
        for what, names in _GROUPS:
            yield from _tasks(seen, what, names)
    yield from _floor(seen)
    yield from _ghosts(seen)


def _tasks(seen: Compared, what: str, names: tuple[str, ...]) -> Iterator[Drift]:
    """Compare a group of task types that is written together."""
    if seen.want.task(names[0]) is None:
        return
    with_row, without = [], []
    for name in names:
        task = seen.site.tasks.get(name)
        most, pending = seen.want.task(name) or (None, None)
        if task is None or not has_row(task):
            without.append(DriftCell(name, "max_slots", most, None))
            continue
        if task.max_slots != most:
            with_row.append(DriftCell(name, "max_slots", most, task.max_slots))
        if pending is not None and task.pending_slots != pending:
            with_row.append(DriftCell(name, "pending_slots", pending, task.pending_slots))
    pending = (seen.want.task(names[0]) or (None, None))[1]
    always = what == names[0]
    if with_row and (always or pending_differs(seen.site, names, pending)) and pending is not None:
        yield seen.drift(*_why_slots(seen, what, tuple(with_row)), *with_row)
    elif with_row:
        yield seen.drift(*_why_not_written(seen, pending), *with_row)
    if without:
        detail = f"{seen.agent} has no threshold of these task types at {seen.name}."
        yield seen.drift("no_threshold", detail, *without)


def _why_not_written(seen: Compared, pending: int | None) -> tuple[str, str]:
    if pending is None:
        return "missing_input", f"{seen.about.missing}: whether the updater writes max is not known."
    return "stuck_max", (
        f"the updater of {seen.agent} writes task rows of {seen.name} only where their pending slots change, "
        f"and these are right ({pending}): max stays as it is."
    )


def _why_slots(seen: Compared, what: str, cells: tuple[DriftCell, ...]) -> tuple[str, str]:
    """Give reason and detail for values that the updater should write."""
    if seen.about.stopped is not None:
        return "missing_input", f"{seen.about.stopped}."
    if seen.stale is not None:
        return "stale_input", f"{seen.stale}."
    number = _other_number(seen, cells)
    if number is not None:
        return "ghost_agent", (
            f"this is what {number} agents of team {seen.about.team} give, {seen.about.agents} are counted"
            f"{_named(seen.about.ghosts)}."
        )
    return why_not_yet(seen, what)


def _other_number(seen: Compared, cells: tuple[DriftCell, ...]) -> int | None:
    """Find the number of agents, near the one that is counted, that gives just these values."""
    counted = seen.about.agents
    status = seen.status
    if counted is None or status is None or status.cpu is None or status.io is None:
        return None
    if any(cell.what != "pending_slots" for cell in cells):
        return None
    for number in dict.fromkeys((counted - len(seen.about.ghosts), counted - 1, counted + 1)):
        if number < 1 or number == counted:
            continue
        other = site_slots(
            seen.name, (status.cpu, status.io), number, seen.settings, tier0=bool(seen.about.tier0)
        )
        if all(cell.actual == _pending(other, cell.task) for cell in cells):
            return number
    return None


def _pending(want: SiteExpected, task: str | None) -> int | None:
    return want.pending_slots if task is None else (want.task(task) or (None, None))[1]


def _named(ghosts: tuple[str, ...]) -> str:
    return f", of which silent: {', '.join(ghosts)}" if ghosts else ""


def _floor(seen: Compared) -> Iterator[Drift]:
    """Tell where a small site has more than its share, because of the least that each site has."""
    want, site = seen.want, seen.site
    cells = tuple(
        DriftCell(None, what, share, held)
        for what, share, expected, held in (
            ("running_slots", want.share_running, want.running_slots, site.running_slots),
            ("pending_slots", want.share_pending, want.pending_slots, site.pending_slots),
        )
        if share is not None and expected == held and expected != share
    )
    if cells:
        yield seen.drift("floor", f"{seen.name} is small: the updater gives no site fewer slots.", *cells)


def _ghosts(seen: Compared) -> Iterator[Drift]:
    """Tell where agents that are dead lower the share."""
    fair = seen.about.fair.get(seen.name)
    if fair is None or fair.pending_slots == seen.want.pending_slots:
        return
    cells = [DriftCell(None, "pending_slots", fair.pending_slots, seen.want.pending_slots)]
    if seen.site.pending_slots != seen.want.pending_slots:
        cells = []
    for name, task in seen.site.tasks.items():
        expected, without = _pending(seen.want, name), _pending(fair, name)
        if expected is not None and expected == task.pending_slots and expected != without:
            cells.append(DriftCell(name, "pending_slots", without, expected))
    if cells:
        detail = (
            f"{seen.about.agents} agents of team {seen.about.team} share {seen.name}"
            f"{_named(seen.about.ghosts)}: a dead agent's document lowers everyone's share."
        )
        yield seen.drift("ghost_agent", detail, *cells)
