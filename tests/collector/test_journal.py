"""What of two snapshots becomes entries of the journal: replayed, they give the newer one's state."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from rcmon.collector.journal import entries, state
from rcmon.model import Agent, AgentSite, Component, Jobs, Snapshot, SourceState, Task, Worker
from rcmon.model.journal import JournalEntry, replay
from tests.store.made import agent, agent_site, snapshot

SLOTS = st.none() | st.integers(0, 3)
TASK = st.builds(Task, SLOTS, SLOTS, st.none(), st.builds(Jobs, st.integers(0, 2)), st.none())
SITE = st.builds(
    AgentSite,
    st.just(""),
    st.sampled_from(["Normal", "Down", None]),
    st.none(),
    st.none(),
    st.none(),
    SLOTS,
    SLOTS,
    st.just(()),
    st.dictionaries(st.sampled_from(["Merge", "Skim"]), TASK),
)
WORKER = st.builds(
    Worker, st.just("w"), st.none(), st.none(), st.none(), st.none(), problem=st.none() | st.just("dead")
)
COMPONENT = st.builds(Component, st.sampled_from(["A", "B"]), st.none(), st.just(1.0), st.tuples(WORKER))


@st.composite
def agents(draw: Any) -> Agent:
    sites = draw(st.dictionaries(st.sampled_from(["T2_A", "T2_B", "T2_C"]), SITE))
    named = {name: structs.replace(site, name=name) for name, site in sites.items()}
    components = draw(st.none() | st.tuples(COMPONENT))
    return Agent("", 0.0, named, components=components, version=draw(st.sampled_from(["1", "2"])))


@st.composite
def snapshots(draw: Any) -> Snapshot:
    known = {
        name: structs.replace(one, name=name) for name, one in draw(st.dictionaries(NAMES, agents())).items()
    }
    sources = tuple(
        SourceState(name, "test", draw(st.booleans()), draw(st.booleans()), None, None, None, agents=(name,))
        for name in draw(st.sets(NAMES))
    )
    return Snapshot(draw(st.floats(0, 1e9)), 0.0, 60.0, sources, known)


NAMES = st.sampled_from(["a", "b"])


@settings(deadline=None)
@given(st.lists(snapshots(), min_size=1, max_size=5))
def test_replayed_from_nothing_it_gives_the_current_state(cycles: list[Snapshot]) -> None:
    journal: list[JournalEntry] = []
    previous = None
    for cycle in cycles:
        journal += entries(previous, cycle)
        assert replay(journal) == state(cycle)
        previous = cycle


def test_only_what_changed_is_written_with_old_and_new() -> None:
    before = [agent_site("T2_X"), agent_site("T2_Y"), agent_site("T2_Z")]
    limits = dict(before[2].tasks)
    limits["Merge"] = structs.replace(limits["Merge"], max_slots=7)
    after = [
        agent_site("T2_X", "Down"),
        agent_site("T2_Y", slots=None),
        structs.replace(before[2], tasks=limits),
    ]
    first, second = snapshot(1.0, [agent("a", before)]), snapshot(2.0, [agent("a", after)])
    found = [(one.kind, one.site, one.task, one.old, one.new, one.cause) for one in entries(first, second)]
    cause = "polled from source a"
    assert found == [
        ("state", "T2_X", None, {"state": "Normal"}, {"state": "Down"}, cause),
        (
            "slots",
            "T2_Y",
            None,
            {"running_slots": 1000, "pending_slots": 1000},
            {"running_slots": None, "pending_slots": None},
            cause,
        ),
        (
            "threshold",
            "T2_Z",
            "Merge",
            {"max_slots": 500, "pending_slots": 103},
            {"max_slots": 7, "pending_slots": 103},
            cause,
        ),
    ]


def test_jobs_and_backlog_are_no_entries() -> None:
    first = snapshot(1.0, [agent("a", [agent_site("T2_X")])])
    tasks = {
        name: structs.replace(task, jobs=Jobs(9, 9), wf_highest_priority=1)
        for name, task in agent_site("T2_X").tasks.items()
    }
    site = structs.replace(agent_site("T2_X"), tasks=tasks, backlog={5: 5}, state_time=5.0)
    assert entries(first, snapshot(2.0, [agent("a", [site])])) == []


def test_a_source_that_fails_says_why() -> None:
    first = snapshot(1.0, [agent("a")])
    failing = structs.replace(first.sources[0], up=False, stale=True, error="it hangs")
    second = structs.replace(first, started=2.0, sources=(failing,))
    (entry,) = entries(first, second)
    assert (entry.kind, entry.subject, entry.cause) == ("source", "a", "it hangs")
    assert (entry.old, entry.new) == ({"up": True, "stale": False}, {"up": False, "stale": True})


def test_what_was_forgotten_of_a_sites_beginning_is_missing_and_the_rest_holds() -> None:
    first = snapshot(1.0, [agent("a", [agent_site("T2_X")])])
    second = snapshot(2.0, [agent("a", [agent_site("T2_X", "Down")])])
    ((key, value),) = replay(entries(first, second)).items()
    assert key == ("site", "a", "T2_X", None, None)
    assert value["state"] == "Down"
