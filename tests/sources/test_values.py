"""Values that cannot be true: unknown and found, in whatever row and column; nothing else is lost by them."""

import math
from collections.abc import Callable

import pytest

from rcmon.model import Agent, Finding
from rcmon.sources.noting import MOST
from rcmon.sources.plausible import SKEW
from rcmon.sources.wmagent.columns import COLUMNS
from rcmon.sources.wmagent.findings import FINDINGS, Findings
from tests.sources import loose
from tests.sources.polling import NOW
from tests.sources.small import SmallAgent

NO_NUMBERS = ("n/a", "1_0", " 3", "٣", "0x10", b"\x80", math.inf, -math.inf)
SIZES = (-(2**63), -1, 2**63 - 1, "18446744073709551615", "-1")
READ: dict[str, tuple[str, Callable[[Agent], object]]] = {
    "wmbs_location.running_slots": ("id = 1", lambda agent: agent.sites["T1_DE_KIT"].running_slots),
    "wmbs_location.pending_slots": ("id = 1", lambda agent: agent.sites["T1_DE_KIT"].pending_slots),
    "wmbs_location.state_time": ("id = 1", lambda agent: agent.sites["T1_DE_KIT"].state_time),
    "rc_threshold.max_slots": (
        "site_id = 1 AND sub_type_id = 2",
        lambda agent: agent.sites["T1_DE_KIT"].tasks["Merge"].max_slots,
    ),
    "rc_threshold.pending_slots": (
        "site_id = 1 AND sub_type_id = 2",
        lambda agent: agent.sites["T1_DE_KIT"].tasks["Merge"].pending_slots,
    ),
    "wmbs_sub_types.priority": ("id = 2", lambda agent: agent.sites["T1_DE_KIT"].tasks["Merge"].priority),
    "wmbs_workflow.priority": (
        "id = 1",
        lambda agent: agent.sites["T1_DE_KIT"].tasks["Production"].wf_highest_priority,
    ),
    "wm_components.pid": ("id = 1", lambda agent: (agent.components or ())[1].pid),
    **{
        f"wm_workers.{column}": (
            "component_id = 1",
            lambda agent, column=column: getattr(loose.workers(agent)["JobSubmitterPoller"], column),
        )
        for column in ("cycle_time", "last_error", "last_updated", "pid", "poll_interval")
    },
}
"""The numbers: a row, and what becomes of it."""
SITES = [name for name in READ if name.startswith(("wmbs_location.", "rc_threshold."))]
"""Those of which a finding names the site."""


@pytest.fixture
def agent(small: SmallAgent) -> SmallAgent:
    loose.loosen(small)
    return small


def set_value(agent: SmallAgent, name: str, where: str, value: object) -> None:
    table, column = name.split(".")
    agent.run(f"UPDATE {table} SET {column} = ? WHERE {where}", value)


def kinds(found: Agent) -> list[str]:
    return [finding.kind for finding in found.findings]


@pytest.mark.parametrize("name", READ)
def test_a_number_that_cannot_be_is_unknown_and_found(agent: SmallAgent, name: str) -> None:
    where, read = READ[name]
    for value in (*NO_NUMBERS, *SIZES):
        set_value(agent, name, where, value)
        found = agent.poll()
        if value in (-1, "-1") and name.endswith("priority"):
            assert (read(found), found.findings) == (-1, ())
            continue
        assert read(found) is None, value
        told = [each for each in found.findings if each.kind == COLUMNS[name].finding]
        assert told, value
        shown = repr(value) if isinstance(value, str | bytes) else str(value)
        assert all(f"{name} is {shown}; right is {COLUMNS[name].right}" in each.message for each in told)
        if name in SITES:
            assert [each.site for each in told] == ["T1_DE_KIT"]


@pytest.mark.parametrize("name", READ)
def test_a_number_that_can_be_is_read_however_it_is_written(agent: SmallAgent, name: str) -> None:
    where, read = READ[name]
    number = 1_767_000_000 if COLUMNS[name].ahead else 7
    for value in (number, float(number), str(number), f"+{number}"):
        set_value(agent, name, where, value)
        found = agent.poll()
        assert (read(found), found.findings) == (number, ())


def test_every_number_of_the_table_is_tried() -> None:
    told = {"row_unreadable", "text_unreadable"}
    numbers = {name for name, column in COLUMNS.items() if column.finding not in told}
    assert numbers == set(READ) | {"wm_components.update_threshold"}


def test_every_column_of_the_table_is_one_of_an_agent() -> None:
    assert {tuple(name.split(".")) for name in COLUMNS} <= set(loose.PLACES)
    assert {column.finding for column in COLUMNS.values()} <= set(FINDINGS)


@pytest.mark.parametrize("value", [-1, math.inf, "n/a", 2**40])
def test_an_update_threshold_that_cannot_be_is_the_usual_one(agent: SmallAgent, value: object) -> None:
    set_value(agent, "wm_components.update_threshold", "id = 1", value)
    found = agent.poll()
    assert [component.update_threshold for component in found.components or ()] == [7200, 7200]
    assert kinds(found) == ["span_implausible"]


@pytest.mark.parametrize("ahead", [0, SKEW])
def test_a_clock_that_is_minutes_ahead_is_borne(agent: SmallAgent, ahead: float) -> None:
    for name in ("wm_workers.last_updated", "wmbs_location.state_time", "wm_workers.last_error"):
        where, read = READ[name]
        set_value(agent, name, where, NOW + ahead)
        assert read(agent.poll()) == NOW + ahead
    assert agent.poll().findings == ()
    assert loose.workers(agent.poll())["JobSubmitterPoller"].problem is None


@pytest.mark.parametrize("time", [NOW + SKEW + 1, NOW + 30 * 86_400, NOW * 1000, -1, 86_400 * 365, "soon"])
def test_a_heartbeat_that_cannot_be_is_no_sign_of_health(agent: SmallAgent, time: object) -> None:
    set_value(agent, "wm_workers.last_updated", "component_id = 1", time)
    found = agent.poll()
    worker = loose.workers(found)["JobSubmitterPoller"]
    assert worker.last_updated is None
    assert (worker.problem or "").startswith("cannot have reported at ")
    (finding,) = found.findings
    assert finding.kind == "heartbeat_implausible"
    assert finding.message.startswith("JobSubmitter, worker JobSubmitterPoller: wm_workers.last_updated is ")


@pytest.mark.parametrize("time", [None, 0])
def test_no_heartbeat_is_told_as_none(agent: SmallAgent, time: object) -> None:
    set_value(agent, "wm_workers.last_updated", "component_id = 1", time)
    found = agent.poll()
    assert loose.workers(found)["JobSubmitterPoller"].problem == "has never reported"
    assert found.findings == ()


def test_jobs_of_a_priority_that_cannot_be_are_counted_in_the_finding(agent: SmallAgent) -> None:
    set_value(agent, "wmbs_workflow.priority", "id = 1", 10**12)
    found = agent.poll()
    counts = {(finding.kind, finding.site): finding.count for finding in found.findings}
    assert counts == {("priority_implausible", "T1_DE_KIT"): 2, ("priority_implausible", None): 1}
    assert found.sites["T1_DE_KIT"].jobs.pending == 1


@pytest.mark.parametrize("column", ["state", "outcome", "error_message"])
def test_octets_that_are_no_text_are_shown_replaced(agent: SmallAgent, column: str) -> None:
    for value in ("CAST(X'46FC72' AS TEXT)", "X'46FC72'"):
        agent.run(f"UPDATE wm_workers SET {column} = {value} WHERE component_id = 1")
        found = agent.poll()
        assert getattr(loose.workers(found)["JobSubmitterPoller"], column) == "F\N{REPLACEMENT CHARACTER}r"
        assert kinds(found) == ["text_unreadable"]
        assert ("F\\udcfcr" if "TEXT" in value else "F\\xfcr") in found.findings[0].message


def test_text_is_shown_as_it_is_whatever_its_type(agent: SmallAgent) -> None:
    for value, shown in (("für", "für"), ("für".encode(), "für"), (7, "7"), ("", None), ("a\nb\0", "a\nb\0")):
        set_value(agent, "wm_workers.error_message", "component_id = 1", value)
        found = agent.poll()
        assert loose.workers(found)["JobSubmitterPoller"].error_message == shown
        assert found.findings == ()


def test_a_text_without_end_is_cut(agent: SmallAgent) -> None:
    set_value(agent, "wm_workers.error_message", "component_id = 1", "x" * 1_000_000)
    found = agent.poll()
    assert loose.workers(found)["JobSubmitterPoller"].error_message == "x" * 4000
    assert kinds(found) == ["text_unreadable"]
    assert len(found.findings[0].message) < 300


@pytest.mark.parametrize("column", ["cms_name", "plugin"])
def test_a_name_that_cannot_be_read_is_not_made_up(agent: SmallAgent, column: str) -> None:
    agent.run(f"UPDATE wmbs_location SET {column} = CAST(X'46FC72' AS TEXT) WHERE id = 1")
    found = agent.poll()
    assert getattr(found.sites["T1_DE_KIT"], column) is None
    assert [(finding.kind, finding.site) for finding in found.findings] == [("text_unreadable", "T1_DE_KIT")]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("wmbs_location.site_name", "id = 1"),
        ("wmbs_location.id", "id = 1"),
        ("wmbs_location_state.name", "name = 'Down'"),
        ("wmbs_job_state.id", "name = 'new'"),
        ("wmbs_sub_types.name", "id = 1"),
        ("bl_status.name", "name = 'Held'"),
        ("wm_components.name", "id = 1"),
        ("wm_workers.name", "component_id = 1"),
    ],
)
@pytest.mark.parametrize("value", [None, "", b"\xff", "a\0b", "x" * 256], ids=repr)
def test_a_row_that_cannot_be_read_costs_the_row(
    agent: SmallAgent, name: str, row: str, value: object
) -> None:
    sound = agent.poll()
    set_value(agent, name, row, value)
    found = agent.poll()
    table = name.split(".", maxsplit=1)[0]
    (finding,) = (each for each in found.findings if each.kind == "row_unreadable")
    assert finding.count == 1
    assert finding.message.startswith(f"rows of {table} that cannot be read, the first because {name} is ")
    assert found.sites["T2_CH_CERN"].running_slots == sound.sites["T2_CH_CERN"].running_slots
    assert loose.workers(found)["ErrorHandlerPoller"] == loose.workers(sound)["ErrorHandlerPoller"]


def test_a_worker_that_stands_twice_is_one(agent: SmallAgent) -> None:
    agent.run("INSERT INTO wm_workers SELECT * FROM wm_workers WHERE component_id = 1")
    found = agent.poll()
    assert len([worker for part in found.components or () for worker in part.workers]) == 3
    assert kinds(found) == ["row_unreadable"]


def test_equal_findings_are_one_and_too_many_are_counted() -> None:
    findings = Findings("vocms0999")
    for number in range(MOST + 7):
        findings.note("site_cms_name_missing", "cms_name is not set", site=f"T2_{number:05}")
        findings.note("site_slots_missing", "running_slots is not set", site="T2_X")
    found = findings.all()
    assert len([each for each in found if each.kind == "site_cms_name_missing"]) == MOST + 1
    assert (
        Finding("site_cms_name_missing", "vocms0999", f"further ones, of which only {MOST} are listed", 7)
        in found
    )
    assert sum(each.count for each in found if each.kind == "site_slots_missing") == MOST + 7
