"""Names come from the agents' databases: whatever they hold, both formats and JSON give it back."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from rcmon.documents import keys
from rcmon.documents.deflated import inflate
from rcmon.model import Agent, AgentSite, Component, Finding, Jobs, Snapshot, SourceState, Task, Worker
from rcmon.render import render
from tests.render.factory import START, snapshot_of
from tests.render.reading import labelled, series_of

HOSTILE = st.sampled_from(
    ['"', "\\", "\n", '\\"', "\\n", '"}', "{", ",", "=", " ", "#", "# EOF", "é", "日本", "\r"]
)
NAMES = st.lists(HOSTILE | st.text(max_size=3), min_size=1, max_size=4).map("".join)
NUMBERS = st.none() | st.integers(-(2**62), 2**62)
TIMES = st.none() | st.floats()
JOBS = st.builds(Jobs, *[st.integers(0, 10**6)] * 5)
TASK = st.builds(Task, NUMBERS, NUMBERS, NUMBERS, JOBS, NUMBERS)
COUNTS = st.none() | st.dictionaries(NAMES, st.integers(0, 10**6), max_size=2)


@st.composite
def agent_sites(draw: st.DrawFn, name: str) -> AgentSite:
    text = st.none() | NAMES
    tasks = draw(st.dictionaries(NAMES, TASK, max_size=2))
    return AgentSite(
        name,
        draw(text),
        draw(TIMES),
        draw(text),
        draw(text),
        draw(NUMBERS),
        draw(NUMBERS),
        (draw(NAMES),),
        tasks,
    )


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    workers = st.builds(Worker, NAMES, NAMES, TIMES, TIMES, TIMES, problem=st.none() | NAMES)
    components = st.builds(Component, NAMES, st.none(), st.floats(), st.lists(workers, max_size=2).map(tuple))
    agents = [
        Agent(
            name,
            draw(st.floats()),
            {site: draw(agent_sites(site)) for site in draw(st.lists(NAMES, max_size=2, unique=True))},
            *[draw(COUNTS) for _ in range(5)],
            draw(st.none() | st.lists(components, max_size=2).map(tuple)),
            draw(st.none() | NAMES),
            draw(st.none() | NAMES),
        )
        for name in draw(st.lists(NAMES, max_size=2, unique=True))
    ]
    state = st.builds(
        SourceState, NAMES, NAMES, st.booleans(), st.booleans(), TIMES, TIMES, st.none() | NAMES
    )
    findings = st.lists(st.builds(Finding, NAMES, st.none() | NAMES, NAMES), max_size=3)
    return snapshot_of(
        *agents,
        sources=tuple(draw(st.lists(state, min_size=1, max_size=2))),
        findings=tuple(draw(findings)),
    )


@given(NAMES, NAMES, NAMES)
def test_labels_come_back_from_both_parsers(agent: str, site: str, task: str) -> None:
    seen = AgentSite(site, None, None, None, None, 1, 2, tasks={task: Task(3, 4, 0, Jobs(), None)})
    series = series_of(snapshot_of(Agent(agent, START, {site: seen})))
    assert series["rcmon_site_running_slots", labelled(agent=agent, site=site)] == 1
    assert series["rcmon_task_max_slots", labelled(agent=agent, site=site, task=task)] == 3


@given(snapshots())
@settings(max_examples=150)
def test_any_snapshot_renders_without_a_duplicate_series(snapshot: Snapshot) -> None:
    """`series_of` compares both formats sample by sample and refuses a series that occurs twice."""
    series = series_of(snapshot)
    assert series["rcmon_cycle_start_timestamp_seconds", frozenset()] == START


@given(snapshots())
@settings(max_examples=100)
def test_any_snapshot_is_strict_json(snapshot: Snapshot) -> None:
    def refuse(constant: str) -> object:
        raise AssertionError(f"{constant} is not JSON")

    for document in render(snapshot):
        if document.media_type == "application/json":
            content = json.loads(inflate(document), parse_constant=refuse)
            if document.key == keys.SITES:
                assert [site["name"] for site in content["sites"]] == list(snapshot.sites)
