"""What in a snapshot is listed for an operator."""

import ast
from pathlib import Path

import pytest
from msgspec import structs

from rcmon.collector.findings import FOUND_HERE, KINDS, findings
from rcmon.model import Component, Finding, Worker
from rcmon.sources import FINDINGS
from tests.collector.test_merge import bad, cycle, good, seen
from tests.store.made import agent, agent_site

ROOT = Path(__file__).parents[2]


def worker(name: str, problem: str | None = None) -> Worker:
    return Worker(name, "Running", 1000.0, 60.0, 1.0, problem=problem)


def test_a_healthy_grid_has_no_findings() -> None:
    healthy = structs.replace(agent("a"), components=(Component("JobSubmitter", 1, 7200.0, (worker("w"),)),))
    assert findings(cycle([good("one", healthy), good("two", agent("b"))])) == ()


def test_agents_that_disagree_on_a_state_are_named() -> None:
    states = {"a": "Normal", "b": "Down", "c": "Normal"}
    polls = [good(name, seen(name, {"T2_X": state})) for name, state in states.items()]
    (found,) = findings(cycle(polls))
    assert (found.kind, found.agent, found.site, found.count) == ("state_disagreement", None, "T2_X", 1)
    assert "Down in b; Normal in a, c" in found.message


def test_a_state_that_an_agent_does_not_know_is_no_disagreement() -> None:
    assert (
        findings(cycle([good("a", seen("a", {"T2_X": None})), good("b", seen("b", {"T2_X": "Down"}))])) == ()
    )


def test_a_bad_worker_is_named_with_its_problem() -> None:
    sick = Component("ErrorHandler", 1, 7200.0, (worker("fine"), worker("late", "no heartbeat for 9000 s")))
    (found,) = findings(cycle([good("one", structs.replace(agent("a"), components=(sick,)))]))
    assert (found.kind, found.agent) == ("worker_unhealthy", "a")
    assert found.message == "ErrorHandler, worker late: no heartbeat for 9000 s"


def test_an_agent_that_is_read_twice_is_named_with_the_other() -> None:
    host = structs.replace(agent("a"), hostname="a.example.org")
    again = structs.replace(host, name="b", hostname="A.example.org")
    (found,) = findings(cycle([good("a", host), good("b", again)]))
    assert (found.kind, found.agent, found.count) == ("agent_claimed_twice", "b", 1)
    assert found.message == "its database says a.example.org, as that of a does: all there is counted twice"


def test_agents_whose_hosts_are_not_known_are_not_the_same() -> None:
    assert findings(cycle([good("a", agent("a")), good("b", agent("b"))])) == ()


def test_a_failing_source_is_named_with_what_it_means_for_the_data() -> None:
    first = cycle([good("one", agent("a")), good("two", agent("b")), bad("three")])
    late = cycle([good("one", agent("a")), bad("two"), bad("three")], first, at=1200.0)
    messages = [found.message for found in findings(late)]
    assert messages == [
        "source three: the database is not there (it has never succeeded)",
        "source two: the database is not there (its last data are shown)",
    ]
    later = cycle([bad("two")], late, at=9000.0)
    assert [found.message for found in findings(later)] == [
        "source two: the database is not there (it has no data that are shown)"
    ]


def test_what_the_polls_found_is_listed_too_and_all_is_sorted() -> None:
    own = [Finding("null_slots", "b", "m", 3, "T2_Y"), Finding("null_slots", "b", "m", 3, "T2_X")]
    told = structs.replace(agent("b", [agent_site("T2_X", "Down")]), findings=tuple(own))
    found = findings(cycle([good("one", told), good("two", seen("a", {"T2_X": "Normal"}))]))
    assert [(one.kind, one.site) for one in found] == [
        ("null_slots", "T2_X"),
        ("null_slots", "T2_Y"),
        ("state_disagreement", "T2_X"),
    ]


def emitted_kinds() -> dict[str, str]:
    """Read, from the program's own text, the kind of each Finding that is made, and where."""
    kinds = {}
    for file in sorted((ROOT / "rcmon").rglob("*.py")):
        tree = ast.parse(file.read_text())
        constants = {
            target.id: node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
                kind = node.args[0] if node.args else next(k.value for k in node.keywords if k.arg == "kind")
                if isinstance(kind, ast.Name) and kind.id in constants:
                    kinds[constants[kind.id]] = str(file)
                elif isinstance(kind, ast.Constant):
                    kinds[str(kind.value)] = str(file)
    return kinds


def test_every_kind_that_is_emitted_is_in_the_table() -> None:
    emitted = emitted_kinds()
    assert {"state_disagreement", "source_failing"} <= emitted.keys()
    assert {kind: file for kind, file in emitted.items() if kind not in KINDS} == {}


def test_every_kind_of_every_source_is_in_the_table_with_the_same_sentence() -> None:
    assert FINDINGS
    assert {kind: KINDS.get(kind) for kind in FINDINGS} == dict(FINDINGS)
    assert len(KINDS) == len(FINDINGS) + len(FOUND_HERE)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_a_label_and_has_one_sentence(kind: str) -> None:
    assert kind.isidentifier()
    assert kind == kind.lower()
    assert KINDS[kind].sentence.endswith(".")
    assert KINDS[kind].sentence.count(". ") == 0
