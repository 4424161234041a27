"""Every reason has a case in which it is the first that holds: configuration first, capacity last."""

from typing import Any

import pytest
from msgspec.structs import replace

from rcmon.model import (
    AgentReport,
    AgentSite,
    Cell,
    Jobs,
    Manual,
    Place,
    Pressure,
    SiteStatus,
    Submission,
    SubmitReport,
    SubmitterSettings,
    Task,
    UpdaterSettings,
    Upstream,
)
from rcmon.rules.judging import task_types
from rcmon.rules.reasons import OF_CONDITION, REASONS
from rcmon.rules.sentences import TOLD, detail
from tests.rules.cells import (
    AGENT,
    CREATOR,
    SITE,
    SUBMITTER,
    agent,
    cell,
    component,
    full,
    judged,
    placed,
    site,
    task,
)

ENABLED = Upstream(sites={SITE: SiteStatus("enabled", None, None, None, None, None, None)})
GONE = "last reported 9000 s ago, more than 7200 s"


def at(of: AgentSite, name: str = "Processing", **values: Any) -> Cell:
    return cell(agent(of, **values), name)


def case(of: AgentSite, **values: Any) -> tuple[Place, Cell]:
    return placed(agent(of, **values))


def processing(**values: Any) -> AgentSite:
    return site(tasks={"Processing": task(**values)})


CASES = {
    "threshold_missing": lambda: case(site(tasks={}), created_by_task={"Processing": 0}),
    "slots_unknown": lambda: case(site(running_slots=None)),
    "task_slots_zero": lambda: case(processing(pending_slots=0)),
    "site_slots_zero": lambda: case(site(pending_slots=0)),
    "cms_name_missing": lambda: case(site(cms_name=None)),
    "plugin_missing": lambda: case(site(plugin=None)),
    "state_unknown": lambda: case(site(state=None)),
    "site_aborted": lambda: case(site(state="Aborted")),
    "site_forced_down": lambda: placed(site(state="Down"), upstream=ENABLED),
    "site_down": lambda: case(site(state="Down")),
    "site_draining": lambda: case(site(state="Draining")),
    "agent_silent": lambda: case(site(), components=(component(CREATOR, GONE), component(SUBMITTER, GONE))),
    "submitter_down": lambda: case(site(), components=(component(CREATOR), component(SUBMITTER, GONE))),
    "agent_drain": lambda: case(site(), drain=True),
    "creator_down": lambda: case(site(), components=(component(CREATOR, GONE), component(SUBMITTER))),
    "agent_full": lambda: case(
        site(), jobs_by_state={"executing": 75}, submitter=SubmitterSettings(max_jobs_per_owner=100)
    ),
    "site_pending_full": lambda: case(site(pending_slots=12)),
    "task_pending_full": lambda: case(full()),
    "site_running_full": lambda: case(site(pending_slots=20, running_slots=22)),
    "task_running_full": lambda: case(processing(running=133)),
    "priority_unknown": lambda: case(processing(pending=45, priority=None)),
}


@pytest.mark.parametrize("name", REASONS)
def test_each_reason_has_a_case_in_which_it_is_the_first(name: str) -> None:
    _, found = CASES[name]()
    assert found.reason == name
    assert found.submits == {"no": False, "yes": True, "unknown": None}[REASONS[name].submits]


def test_every_reason_that_there_is_has_a_case_and_a_sentence() -> None:
    assert set(CASES) == set(REASONS)
    assert set(REASONS) | {None} == TOLD
    assert set(OF_CONDITION.values()) <= set(REASONS)


def test_where_nothing_stands_against_it_a_job_is_submitted() -> None:
    found = cell(site())
    assert (found.submits, found.condition, found.reason) == (True, None, None)


def test_reasons_are_given_in_their_order_and_the_token_all_the_same() -> None:
    tiers = list(dict.fromkeys(kind.tier for kind in REASONS.values()))
    assert tiers == ["configuration", "administrative", "capacity"]
    full_and_down = at(full(state="Down", cms_name=None), drain=True)
    assert (full_and_down.reason, full_and_down.condition) == ("cms_name_missing", "NoTaskPendingSlot")
    assert full_and_down.submits is False
    full_and_down = at(full(state="Down"), drain=True)
    assert (full_and_down.reason, full_and_down.condition) == ("site_down", "NoTaskPendingSlot")
    drained = at(full(), drain=True)
    assert (drained.reason, drained.submits) == ("agent_drain", False), "full all the same"


def test_a_site_that_is_down_takes_nothing_whatever_is_not_known() -> None:
    assert cell(site(state="Down", running_slots=None)).submits is False


@pytest.mark.parametrize("name", ["Merge", "Cleanup", "Harvesting", "LogCollect"])
def test_a_draining_site_takes_what_ends_work(name: str) -> None:
    found = cell(site(state="Draining", tasks={name: task()}), name)
    assert (found.submits, found.reason) == (True, None)


def test_merge_is_not_held_back_by_the_pending_slots_of_the_site() -> None:
    merge = {"Merge": task(priority=4)}
    assert cell(site(pending_slots=0, tasks=merge), "Merge").submits is True
    assert cell(site(pending_slots=12, tasks=merge), "Merge").submits is True
    none = cell(site(pending_slots=0, running_slots=0, tasks=merge), "Merge")
    assert (none.reason, none.condition) == ("site_slots_zero", "NoRunningSlot")


def test_a_state_that_nobody_listed_is_submitted_to_as_wmcore_does() -> None:
    assert cell(site(state="Odd")).submits is True


def test_without_the_task_types_priority_it_is_known_where_overflow_changes_nothing() -> None:
    assert at(processing(priority=None)).submits is True
    assert at(site(tasks={"Merge": task(45, priority=None)}), "Merge").condition == "NoTaskPendingSlot"


def test_what_the_agent_reports_counts_as_what_its_database_says() -> None:
    report = AgentReport(0.0, "production", None, "down", drain=True, down_components=(SUBMITTER,))
    place = judged(agent(site()), Upstream(reports={AGENT: report}))
    (found,) = place.cells
    assert found.reason == "submitter_down"
    assert detail(SITE, place, found) == (
        "vocms0281 submits nothing: its JobSubmitter does not work; the agent reports it as down"
    )


def test_what_an_agent_reported_long_ago_says_nothing_of_now() -> None:
    report = AgentReport(-1201.0, "production", None, "down", drain=True, down_components=(SUBMITTER,))
    done = SubmitReport(-1201.0, {SITE: {"Processing": Submission(3)}})
    found = cell(site(), upstream=Upstream(reports={AGENT: report}, submitted={AGENT: done}))
    assert (found.reason, found.submitted) == (None, None)


def test_what_the_submitter_did_itself_stands_beside() -> None:
    done = SubmitReport(-60.0, {SITE: {"Processing": Submission(3, {"NoPendingSlot": 7})}})
    both = site(tasks={"Processing": task(), "Merge": task()})
    told = Upstream(submitted={AGENT: done})
    found, merge = cell(both, upstream=told), cell(both, "Merge", told)
    assert (found.submitted, found.refused) == (3, {"NoPendingSlot": 7})
    assert (merge.submitted, merge.refused) == (0, {})
    assert cell(both, upstream=Upstream(submitted={})).submitted is None


def test_job_ads_tell_what_is_idle() -> None:
    pressure = {AGENT: {SITE: {"Processing": Pressure(7, 2, 30)}}}
    both = site(tasks={"Processing": task(), "Merge": task()})
    found = cell(both, upstream=Upstream(pressure=pressure))
    assert (found.matching_idle, found.unique_idle) == (7, 2)
    merge = cell(both, "Merge", Upstream(pressure=pressure))
    assert (merge.matching_idle, merge.unique_idle) == (0, 0), "its ads are known, and none is of Merge"
    other = cell(site(), upstream=Upstream(pressure={"vocms0282": {}}))
    assert other.matching_idle is None


def test_every_task_type_of_the_agent_is_judged_at_every_site() -> None:
    known = agent(site(), created_by_task={"Merge": 0, "Express": 0})
    assert task_types(known) == {"Express": None, "Merge": None, "Processing": 0}
    assert cell(known, "Express").condition == "NoJobType_T2_CH_CERN_Express"


def test_a_tier_0_agent_lets_nothing_overflow() -> None:
    assert judged(agent(site())).overflow == 0.2
    feeder = (component("Tier0Feeder"), component(SUBMITTER))
    assert judged(agent(site(), components=feeder)).overflow == 0.0
    told = agent(site(tasks={"Express": task()}), updater=UpdaterSettings(tier0=False))
    assert judged(told).overflow == 0.2
    assert judged(agent(site(tasks={"Express": task()}))).overflow == 0.0
    absent = Task(None, None, 6, Jobs(1), 3)
    assert judged(agent(site(tasks={"Express": absent}))).overflow == 0.2, "a job alone says nothing"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"jobs_by_state": {"executing": 7500}},
            "7500 of 7500 are executing (0.75 of MAX_JOBS_PER_OWNER 10000)",
        ),
        ({"jobs_by_state": {"executing": 7499}}, None),
        ({"jobs_by_state": None}, None),
        ({"jobs_by_state": {"executing": 9999}, "updater": UpdaterSettings(tier0=True)}, None),
        (
            {"jobs_by_state": {"executing": 10_000}, "updater": UpdaterSettings(tier0=True)},
            "10000 of 10000 are executing (1 of MAX_JOBS_PER_OWNER 10000)",
        ),
        ({"jobs_by_state": {"executing": 9999}, "submitter": SubmitterSettings()}, None),
        (
            {"jobs_by_state": {"executing": 5000}, "submitter": SubmitterSettings(10_000, 0.5)},
            "5000 of 5000 are executing (0.5 of MAX_JOBS_PER_OWNER 10000)",
        ),
    ],
)
def test_an_agent_that_has_all_that_it_may_submits_nothing(values: dict[str, Any], said: str | None) -> None:
    place = judged(agent(site(), **{"submitter": SubmitterSettings(10_000)} | values))
    (found,) = place.cells
    if said is None:
        assert (found.submits, found.reason) == (True, None)
        return
    assert (found.submits, found.reason) == (False, "agent_full")
    assert detail(SITE, place, found) == f"vocms0281 submits nothing: it has as many jobs as it may; {said}"


def test_an_agent_may_be_told_how_far_jobs_overflow() -> None:
    assert judged(agent(site(), submitter=SubmitterSettings(condor_overflow_fraction=0.5))).overflow == 0.5


def test_a_sentence_has_names_and_numbers() -> None:
    place = judged(agent(full()))
    assert detail(SITE, place, place.cells[0]) == (
        "T2_CH_CERN takes no more Processing of vocms0281: 45 of 45 pending slots are used; "
        "workflow priority 85000 and above overflows"
    )
    place = judged(agent(site()))
    assert detail(SITE, place, place.cells[0]) == (
        "T2_CH_CERN takes Processing of vocms0281: 12 of 45 pending slots of Processing and 12 of 500 of the"
        " site are used"
    )


def test_a_sentence_tells_who_holds_a_site_down() -> None:
    manual = Manual("disabled", "latched", None, "jroe", "tape robot is broken")
    status = SiteStatus("disabled", "automatic", None, manual, None, None, None)
    place = judged(agent(site(state="Down")), Upstream(sites={SITE: status}))
    assert detail(SITE, place, place.cells[0]) == (
        "T2_CH_CERN takes nothing of vocms0281: the site is Down since 2026-01-01T12:00:00Z; jroe set"
        " T2_CH_CERN to disabled by hand in the site status board (latched) because: tape robot is broken"
    )
    status = replace(status, manual=None)
    place = judged(agent(site(state="Down", state_time=None)), Upstream(sites={SITE: status}))
    assert detail(SITE, place, place.cells[0]).endswith(
        "the site is Down; the site status board has it disabled: automatic"
    )


def test_a_reason_that_is_not_known_here_is_told_by_its_name() -> None:
    """A newer collector may know more reasons."""
    place, found = placed(site())
    newer = replace(found, submits=False, reason="moon_is_full")
    assert detail(SITE, place, newer) == "Processing of vocms0281 at T2_CH_CERN: moon_is_full"


def test_names_of_any_kind_are_told_as_they_are() -> None:
    place = judged(agent(site(tasks={"{0}{x}": task()})))
    assert "takes {0}{x} of" in detail(SITE, place, place.cells[0])


@pytest.mark.parametrize("name", REASONS)
def test_every_sentence_is_whole(name: str) -> None:
    """What a sentence needs is known where its reason holds."""
    place, found = CASES[name]()
    said = detail(SITE, place, found)
    assert "None" not in said
    assert "  " not in said
    assert SITE in said or AGENT in said
