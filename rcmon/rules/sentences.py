"""What a person is told of one task type at one site in one agent: one sentence with its numbers. Pure."""

from collections.abc import Mapping

from rcmon.model import Cell, Place
from rcmon.rules.submission import Figures, overflow_from
from rcmon.timestamps import iso

_NO = "{site} takes no {task} of {agent}: "
_NO_MORE = "{site} takes no more {task} of {agent}: "
_NOTHING = "{site} takes nothing of {agent}: "
_DOUBT = "whether {site} takes {task} of {agent} is not known: "
_SENTENCES: Mapping[str | None, str] = {
    None: "{site} takes {task} of {agent}: {pending} of {pending_slots} pending slots of {task} and"
    " {site_pending} of {site_pending_slots} of the site are used",
    "threshold_missing": _NO + "the site has no threshold for it",
    "slots_unknown": _DOUBT + "{unknown} not known",
    "task_slots_zero": _NO + "its threshold there is 0 pending slots",
    "site_slots_zero": _NO
    + "the site has {site_pending_slots} pending and {site_running_slots} running slots",
    "cms_name_missing": "no work of {agent} is let in at {site}: the site has no CMS name",
    "plugin_missing": _NOTHING + "the site has no plug-in to submit by",
    "state_unknown": _DOUBT + "the state of the site is not known",
    "site_aborted": _NOTHING + "the site is Aborted{since}",
    "site_forced_down": _NOTHING + "the site is Down{since} though it is enabled",
    "site_down": _NOTHING + "the site is Down{since}",
    "site_draining": _NO_MORE + "the site is Draining{since}, which lets Merge, Cleanup, Harvesting and"
    " LogCollect through only",
    "agent_silent": "{agent} submits nothing: none of its components works",
    "submitter_down": "{agent} submits nothing: its JobSubmitter does not work",
    "agent_drain": "{agent} takes no new work for {site}: the agent is in drain",
    "creator_down": "{agent} makes no new {task} for {site}: its JobCreator does not work",
    "agent_full": "{agent} submits nothing: it has as many jobs as it may",
    "site_pending_full": _NO_MORE
    + "{site_pending} of {site_pending_slots} pending slots of the site are used",
    "task_pending_full": _NO_MORE + "{pending} of {pending_slots} pending slots are used",
    "site_running_full": _NO_MORE + "{site_pending} pending and {site_running} running jobs of the site use"
    " its {site_pending_slots} pending and {site_running_slots} running slots",
    "task_running_full": _NO_MORE + "{pending} pending and {running} running jobs use {pending_slots} pending"
    " and {max_slots} running slots",
    "priority_unknown": _DOUBT + "the priority of the task type, by which jobs overflow, is not known",
}
"""By reason, without what somebody says of it."""
_NOTHING_KEPT = (
    "nothing that was kept stands against {task} of {agent} at {site}: {pending} of {pending_slots} pending"
    " slots of {task} and {site_pending} of {site_pending_slots} of the site were used"
)
"""Of a past moment: that jobs were submitted is not known, nor a reason why they should not have been."""
_UNTOLD = "{task} of {agent} at {site}: {reason}"
"""For a reason that only a newer collector knows."""
TOLD = frozenset(_SENTENCES)
"""The reasons that there is a sentence for."""


def detail(site: str, place: Place, cell: Cell) -> str:
    """Say in one sentence whether jobs are submitted, and why not."""
    reason = cell.reason
    untold = cell.submits is None and reason is None
    said = (_NOTHING_KEPT if untold else _SENTENCES.get(reason, _UNTOLD)).format(
        site=site,
        agent=place.agent,
        task=cell.task,
        since=f" since {iso(place.state_time)}" if place.state_time is not None else "",
        reason=reason,
        unknown=_unknown(place, cell),
        pending=cell.pending,
        running=cell.running,
        pending_slots=cell.pending_slots,
        max_slots=cell.max_slots,
        site_pending=place.pending,
        site_running=place.running,
        site_pending_slots=place.pending_slots,
        site_running_slots=place.running_slots,
    )
    words = place.words.get(reason) if reason else None
    above = overflow_priority(place, cell)
    return "; ".join(
        part
        for part in (said, words, f"workflow priority {above} and above overflows" if above else None)
        if part
    )


def overflow_priority(place: Place, cell: Cell) -> int | None:
    """Tell the workflow priority from which on jobs overflow what is full here; None: none do."""
    if cell.condition is None or cell.priority is None:
        return None
    known = (place.pending_slots, place.running_slots, cell.pending_slots, cell.max_slots)
    site_pending, site_running, pending, running = known
    if site_pending is None or site_running is None or pending is None or running is None:
        return None
    figures = Figures(
        site_pending,
        site_running,
        place.pending,
        place.running,
        pending,
        running,
        cell.pending,
        cell.running,
        cell.wf_highest_priority,
    )
    return overflow_from(figures, cell.task, cell.priority, place.overflow)


def _unknown(place: Place, cell: Cell) -> str:
    """Name the numbers of slots that are not known, with their verb."""
    slots = {
        "the site's pending slots": place.pending_slots,
        "the site's running slots": place.running_slots,
        f"the pending slots of {cell.task}": cell.pending_slots,
        f"the max slots of {cell.task}": cell.max_slots,
    }
    return " and ".join(name for name, value in slots.items() if value is None) + " are"
