"""Verdicts are rendered once: as metrics of what is blocked, and for the web side with all that it needs."""

from msgspec import msgpack
from msgspec.structs import replace

from rcmon.documents import keys
from rcmon.documents.deflated import inflate
from rcmon.documents.why import WhyIndex
from rcmon.model import Place, Snapshot
from rcmon.render import render
from rcmon.rules.judging import judge
from tests.render.reading import labelled, series_of
from tests.rules.cells import AGENT, SITE, agent, full, site, snapshot, task


def blocked(of: Snapshot) -> dict[frozenset[tuple[str, str]], float]:
    return {labels: value for (name, labels), value in series_of(of).items() if name == "rcmon_task_blocked"}


def test_the_index_holds_every_verdict_and_how_old_it_is() -> None:
    made = snapshot(agent(full()))
    documents = {document.key: document for document in render(made)}
    index = msgpack.decode(inflate(documents[keys.WHY]), type=WhyIndex)
    assert list(index.sites) == [SITE]
    places = msgpack.decode(index.sites[SITE], type=tuple[Place, ...])
    assert places == tuple(judge(made)[AGENT].values())
    assert (index.agents[AGENT].polled_at, index.agents[AGENT].stale) == (0.0, False)


def test_only_what_is_blocked_has_a_series() -> None:
    assert blocked(snapshot(agent(site()))) == {}
    labels = labelled(agent=AGENT, site=SITE, task="Processing", reason="task_pending_full")
    assert blocked(snapshot(agent(full()))) == {labels: 1}


def test_what_is_submitted_all_the_same_is_not_blocked() -> None:
    assert blocked(snapshot(agent(site(), drain=True))) == {}


def test_what_is_not_known_to_be_submitted_is_blocked() -> None:
    labels = labelled(agent=AGENT, site=SITE, task="Processing", reason="slots_unknown")
    assert blocked(snapshot(agent(site(pending_slots=None)))) == {labels: 1}


def test_a_task_type_that_is_not_meant_for_a_site_is_not_blocked_there() -> None:
    known = agent(site(), created_by_task={"Express": 0})
    assert blocked(snapshot(known)) == {}
    stranded = replace(task(), max_slots=None, pending_slots=None)
    labels = labelled(agent=AGENT, site=SITE, task="Express", reason="threshold_missing")
    assert blocked(snapshot(agent(site(tasks={"Express": stranded})))) == {labels: 1}


def test_a_floor_has_a_series_where_there_is_one() -> None:
    def floors(**values: object) -> dict[frozenset[tuple[str, str]], float]:
        series = series_of(snapshot(agent(site(**values))))
        return {
            labels: value for (name, labels), value in series.items() if name == "rcmon_site_admission_floor"
        }

    labels = labelled(agent=AGENT, site=SITE, stage="database")
    assert floors(backlog={60: 400, 40: 200}) == {labels: 40}
    assert floors(backlog={60: 400}) == {}
