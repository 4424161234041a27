"""What is let in at a site is what WMCore's own work queue takes, at both stages.

Of two sites with one CMS name WMCore forgets the priorities that only the one has that it reads first:
generated agents here have the same priorities at such sites.
"""

from random import Random
from typing import Any

from rcmon.model import Admission, Agent, AgentReport, AgentSite, QueuedWork
from rcmon.rules.admission import AGENT_QUEUE, DATABASE, admission, admissions, floor
from tests.peer.asking import ask

QUEUES = 10_000
PRIORITIES = (0, 1, 31, 40, 60, 85_000, 110_000, 130_000)
STATES = ("Normal", "Normal", "Normal", "Draining", "Down", "Aborted")


def site(name: str, **values: Any) -> AgentSite:
    given: dict[str, Any] = {
        "state": "Normal",
        "state_time": None,
        "cms_name": name,
        "plugin": "SimpleCondorPlugin",
        "running_slots": 100,
        "pending_slots": 50,
    }
    return AgentSite(name=name, **given | values)


def queue(dice: Random, limit: float, counts: dict[int, float], places: str = "S") -> dict[str, Any]:
    """Make a queue of elements for one site, some of which count for nothing."""
    probes = {priority + step for priority in (*counts, *PRIORITIES) for step in (-1, 0, 1)}
    elements = [
        (places, priority, dice.choice((0, 0, 1, 7, 20)), dice.choice((1.0, 0.3, 2.5)))
        for priority in dice.sample(sorted(probes), min(len(probes), 12))
    ]
    return {"limits": {places: limit}, "counts": {places: counts}, "elements": elements}


def taken(stage: str, given: dict[str, Any]) -> list[int]:
    """Tell which elements are taken, one after the other, by what is let in before each."""
    found = []
    order = sorted(enumerate(given["elements"]), key=lambda one: -one[1][1])
    for number, (place, priority, jobs, blow_up) in order:
        counts, limit = given["counts"][place], given["limits"][place]
        if lets_in(admission(stage, limit, counts), priority):
            found.append(number)
            counts[priority] = counts.get(priority, 0) + jobs * blow_up
    return found


def lets_in(said: Admission, priority: int) -> bool:
    if said.admits == "above":
        assert said.floor is not None
        return priority > said.floor
    assert said.admits is not None
    return said.admits == "all"


def generated(dice: Random, stage: str) -> dict[str, Any]:
    counts = {
        priority: dice.choice((0, 1, 5, 20, 50)) for priority in dice.sample(PRIORITIES, dice.randint(0, 5))
    }
    slots = dice.choice((0, 1, 5, 45, 50, 1000))
    return queue(dice, slots * 0.5 if stage == AGENT_QUEUE else slots, dict(counts))


def test_ten_thousand_queues_are_taken_from_as_wmcore_does() -> None:
    dice = Random(11)
    stages = [(AGENT_QUEUE, DATABASE)[number % 2] for number in range(QUEUES)]
    queues = [generated(dice, stage) for stage in stages]
    theirs = ask("acquisition", queues)
    ours = [taken(stage, given) for stage, given in zip(stages, queues, strict=True)]
    wrong = [number for number, (mine, other) in enumerate(zip(ours, theirs, strict=True)) if mine != other]
    assert len(theirs) == QUEUES
    assert wrong == []
    some = sum(
        bool(mine) and len(mine) < len(given["elements"]) for mine, given in zip(ours, queues, strict=True)
    )
    assert some > QUEUES / 10


def agents(dice: Random, number: int) -> list[Agent]:
    """Make agents, some of whose sites share a CMS name or have none."""
    made = []
    for _ in range(number):
        priorities = dice.sample(PRIORITIES, 3)
        sites = {
            name: site(
                name,
                cms_name=dice.choice((name, name, "T2_XX_Shared", None)),
                state=dice.choice(STATES),
                pending_slots=dice.choice((0, 5, 50, 75)),
                backlog={priority: dice.choice((0, 3, 30)) for priority in priorities},
            )
            for name in ("T1_XX_A", "T2_XX_B", "T2_XX_C", "T2_XX_D")
        }
        made.append(Agent("vocms0281", 0.0, sites))
    return made


def test_limits_and_counts_are_wmcores_own_over_all_sites_of_one_name() -> None:
    made = agents(Random(12), 500)
    theirs = ask("free_slots", [{"depth": 0.5, "sites": as_wmcore(agent)} for agent in made])
    seen = 0
    for agent, (limits_of) in zip(made, theirs, strict=True):
        limits, counts = limits_of["database"]
        into_queue_limits, none_counted = limits_of["agent_queue"]
        said = admissions(agent, None)
        assert none_counted == {}
        for name in {one.cms_name for one in agent.sites.values()} - {None}:
            mine = next(one for one in said[name] if one.stage == DATABASE)
            by_priority = {int(priority): jobs for priority, jobs in counts.get(name, {}).items()}
            expected = admission(DATABASE, limits.get(name, 0), by_priority)
            assert (mine.admits, mine.floor, mine.limit) == (expected.admits, expected.floor, expected.limit)
            assert mine.counted == expected.counted
            assert said[name][0].limit == into_queue_limits.get(name, 0)
            seen += mine.admits == "above"
        assert [one.admits for one in said[None]] == ["none", "none"]
    assert seen > 100


def as_wmcore(agent: Agent) -> dict[str, Any]:
    return {
        name: {
            "cms_name": one.cms_name,
            "state": one.state,
            "total_slots": one.pending_slots,
            "pending_jobs": one.backlog,
        }
        for name, one in agent.sites.items()
    }


def test_the_floor_is_the_priority_at_which_the_sum_reaches_the_limit() -> None:
    assert floor(50, {60: 30, 40: 20, 31: 5}) == 40
    assert floor(51, {60: 30, 40: 20, 31: 5}) == 31
    assert floor(56, {60: 30, 40: 20, 31: 5}) is None
    assert admission(DATABASE, 0, {60: 30}) == Admission(DATABASE, "none", None, 0, 30)
    assert admission(DATABASE, None, {60: 30}) == Admission(DATABASE, None, None, None, 30)
    assert admission(DATABASE, 50, None) == Admission(DATABASE, None, None, 50, None)


def into_queue(jobs: int | None, *, drain: bool | None = None, state: str = "Normal") -> Admission:
    """Tell what goes into an agent's queue of 25 jobs for a site for which so many stand in it."""
    queued = {} if jobs is None else {"T1_XX_A": QueuedWork(jobs, 0)}
    report = AgentReport(time=0.0, team="production", version=None, status="ok", drain=drain, queued=queued)
    agent = Agent("vocms0281", 0.0, {"T1_XX_A": site("T1_XX_A", state=state)})
    return admissions(agent, report)["T1_XX_A"][0]


def test_what_the_report_does_not_tell_of_the_queue_is_unknown() -> None:
    assert into_queue(24) == Admission(AGENT_QUEUE, "all", None, 25.0, 24)
    assert into_queue(25) == Admission(AGENT_QUEUE, None, None, 25.0, 25), "of which priorities?"
    assert into_queue(None) == Admission(AGENT_QUEUE, "all", None, 25.0, 0), "the report names no such site"
    agent = Agent("vocms0281", 0.0, {"T1_XX_A": site("T1_XX_A")})
    assert admissions(agent, None)["T1_XX_A"][0] == Admission(AGENT_QUEUE, None, None, 25.0, None)


def test_nothing_goes_into_the_queue_of_an_agent_in_drain_or_for_a_site_that_is_not_normal() -> None:
    assert into_queue(3, drain=True).admits == "none"
    assert into_queue(3, state="Draining").admits == "none"


def test_a_number_of_slots_that_is_not_known_is_no_limit_of_0() -> None:
    agent = Agent("vocms0281", 0.0, {"T1_XX_A": site("T1_XX_A", pending_slots=None, backlog={60: 5})})
    assert admissions(agent, None)["T1_XX_A"][1] == Admission(DATABASE, None, None, None, 5)
