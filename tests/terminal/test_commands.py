"""What commands print of a real service: as tables, as JSON, as CSV."""

import csv
import io
import json
import re

import pytest
from msgspec import structs

from rcmon.model import Snapshot
from rcmon.terminal.commands import findings
from tests.browser.site import Site
from tests.terminal.conftest import Run
from tests.terminal.grid import make_grid
from tests.web.grid import NOW, SITES, STATELESS


@pytest.fixture
def published(site: Site):
    """The service, for a test that publishes; the grid is there again afterwards."""
    yield site
    site.publish(make_grid())


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_sites_lists_all_of_them_with_their_age_and_the_service_trouble(run: Run) -> None:
    said = run("sites")
    assert (said.status, said.err) == (0, "")
    head, *lines = said.out.splitlines()
    titles = [
        "SITE",
        "TIER",
        "STATE",
        "RUNNING JOBS",
        "RUNNING SLOTS",
        "PENDING JOBS",
        "PENDING SLOTS",
        "STATES",
    ]
    assert re.split("  +", head) == titles
    assert [line.split()[0] for line in lines[: len(SITES)]] == sorted(SITES)
    assert lines[len(SITES)] == "62 sites, as of 2026-01-01T11:59:48Z, 12 s old"
    assert lines[len(SITES) + 1].startswith("unhealthy: component JobSubmitter of agent vocms0281 is down")


def test_what_is_not_known_is_a_question_mark_and_an_empty_cell_never_zero(run: Run) -> None:
    table = run("sites", STATELESS).out.splitlines()[1].split()
    assert (table[2], table[4], table[6]) == ("?", "?", "?")
    (row,) = rows(run("sites", STATELESS, "-o", "csv").out)
    assert (row["state"], row["running_slots"], row["pending_slots"]) == ("?", "", "")


def test_sites_are_chosen_and_sorted(run: Run) -> None:
    found = rows(run("sites", "T1_*", "--state", "Normal", "--sort", "-running_jobs", "-o", "csv").out)
    numbers = [int(row["running_jobs"]) for row in found]
    assert numbers == sorted(numbers, reverse=True)
    assert "T1_UK_RAL" not in [row["site"] for row in found]
    (differing,) = rows(run("sites", "T2_US_MIT", "-o", "csv").out)
    assert (differing["state"], differing["states"]) == (
        "differing",
        "Normal: cmsgwms-submit4 vocms0282; Draining: vocms0281",
    )


def test_json_is_what_the_service_said_of_all_pages(run: Run, site: Site) -> None:
    """`why` has more answers than a page holds: `next` is followed to the end."""
    whole = json.loads(run("why", "--all", "-o", "json").out)
    pages = json.loads(run("why", "--all", "--limit", "2001", "-o", "json").out)
    assert whole["next"] is None
    assert whole["count"] == whole["total"] == len(whole["answers"]) == len(SITES) * 3 * 5
    assert pages["answers"] == whole["answers"][:2001]
    keys = [(one["site"], one["agent"], one["task"]) for one in whole["answers"]]
    assert len(set(keys)) == len(keys)


def test_next_is_followed_over_pages(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service is asked for small pages; the list is whole."""
    given = findings.query_of
    monkeypatch.setattr(findings, "query_of", lambda **query: {**given(**query), "limit": "1"})
    found = json.loads(run("findings", "-o", "json").out)
    assert [one["id"] for one in found["findings"]] == ["a1", "b2", "c3", "d4"]


def test_a_site_has_its_agents_and_task_types(run: Run) -> None:
    said = run("site", "T1_DE_KIT").out
    assert said.startswith("T1_DE_KIT: Normal\n")
    assert "stale, 3 min 12 s" in said or "stale, 12 s" in said
    tasks = rows(run("site", "T1_DE_KIT", "-o", "csv").out)
    assert {(row["agent"], row["task"]) for row in tasks} >= {("vocms0281", "Merge"), ("vocms0282", "Merge")}
    assert json.loads(run("site", "T1_DE_KIT", "-o", "json").out)["name"] == "T1_DE_KIT"


def test_agents_tell_their_health_and_what_is_down(run: Run) -> None:
    health = {row["agent"]: (row["health"], row["down"]) for row in rows(run("agents", "-o", "csv").out)}
    assert health == {
        "cmsgwms-submit4": ("ok", ""),
        "vocms0281": ("down", "JobSubmitter"),
        "vocms0282": ("stale", ""),
    }
    assert len(rows(run("agents", "vocms*", "-o", "csv").out)) == 2


def test_why_gives_the_reason_of_what_does_not_run(run: Run) -> None:
    found = rows(run("why", "T2_RU_JINR", "--agent", "vocms0281", "--task", "Merge", "-o", "csv").out)
    assert [row["reason"] for row in found] == ["site_down"]
    assert run("why", "T2_RU_JINR", "--reason", "site_down").out.count("site_down") == 15


def test_findings_are_chosen_by_severity(run: Run) -> None:
    (found,) = rows(run("findings", "--severity", "critical", "-o", "csv").out)
    assert (found["kind"], found["agent"]) == ("worker_unhealthy", "vocms0281")
    assert "2025-12-23 11:59:48Z" in run("findings", "--kind", "draining_*").out


def test_drift_and_journal_and_overrides_say_when_there_is_nothing(run: Run) -> None:
    for command, noun in (
        (["drift"], "values"),
        (["journal", "--site", "T9_XX"], "entries"),
        (["override", "list"], "overrides"),
    ):
        said = run(*command)
        assert (said.status, said.err) == (0, "")
        assert said.out.startswith(f"0 {noun}, as of 2026")


def test_whoami_tells_subject_and_roles(run: Run) -> None:
    said = run("whoami", persona="operator").out
    assert said.splitlines()[0] == "/DC=ch/CN=operator"
    assert "roles        operator" in said
    assert "nothing else" in run("whoami", persona="stranger").out


def test_data_that_are_late_are_never_shown_as_new(run: Run, published: Site) -> None:
    """In a table, and beside the output of which a program makes something."""
    published.publish(make_grid(started=NOW - 400))
    for form in ("table", "json", "csv"):
        said = run("sites", "T1_*", "-o", form)
        assert said.status == 0
        assert said.err == "rcmon-cli: these data are late: as of 2026-01-01T11:53:20Z, 6 min 40 s old\n"


def test_what_is_printed_of_overrides_and_the_journal(run: Run) -> None:
    """Set, listed, in the journal with who did it, foreseen, ended and undone: all of it by an operator."""
    wish = ["T2_FI_HIP", "--state", "Down", "--reason", "power cut"]
    foreseen = run("override", "preview", *wish, persona="operator")
    assert foreseen.status == 0, foreseen
    assert "Normal -> Down" in foreseen.out
    assert run("override", "list").out.startswith("0 overrides")
    made = run("override", "set", *wish, "--for", "2h", "--yes", persona="operator")
    assert made.status == 0, made
    number = made.out.strip().rsplit(" ", 1)[1]
    (held,) = rows(run("override", "list", "-o", "csv").out)
    assert (held["site"], held["agent"], held["state"], held["reason"]) == (
        "T2_FI_HIP",
        "every",
        "Down",
        "power cut",
    )
    assert held["ends"] == "2026-01-01 14:00:00Z"
    (entry, *_) = rows(run("journal", "--kind", "override", "-o", "csv").out)
    assert (entry["site"], entry["by"]) == ("T2_FI_HIP", "/DC=ch/CN=operator")
    ended = run("override", "end", "T2_FI_HIP", "--yes", persona="operator")
    assert ended.status == 0, ended
    assert "T2_FI_HIP in every agent: nothing set" in ended.out
    undone = run("override", "undo", ended.out.strip().rsplit(" ", 1)[1], "--yes", persona="operator")
    assert undone.status == 0, undone
    assert "T2_FI_HIP in every agent: Down" in undone.out
    last = undone.out.strip().rsplit(" ", 1)[1]
    refused = run("override", "undo", number, "--yes", persona="operator")
    assert refused.status == 1
    assert f"change {last}: undo that first" in refused.err
    assert run("override", "end", "T2_FI_HIP", "--yes", persona="operator").status == 0
    assert run("override", "end", "T2_FI_HIP", "--yes", persona="operator").status == 1


def calm(grid: Snapshot) -> Snapshot:
    """Take everything from it that is not well."""
    agents = {
        name: structs.replace(agent, components=grid.agents["cmsgwms-submit4"].components)
        for name, agent in grid.agents.items()
    }
    sources = tuple(
        structs.replace(one, up=True, stale=False, last_success=grid.started, error=None)
        for one in grid.sources
    )
    return structs.replace(grid, agents=agents, sources=sources, findings=())


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        (lambda grid: grid, 2, "CRITICAL - critical: JobSubmitter of"),
        (calm, 0, "OK - healthy"),
        (
            lambda grid: structs.replace(calm(grid), findings=grid.findings[1:2]),
            1,
            "WARNING - warning: the agents",
        ),
        (
            lambda grid: structs.replace(calm(grid), findings=grid.findings[2:3]),
            2,
            "CRITICAL - critical: JobSub",
        ),
        (
            lambda grid: structs.replace(calm(grid), started=NOW - 400),
            2,
            "CRITICAL - the snapshot is 400 s old",
        ),
    ],
)
def test_check_is_a_plug_in_of_nagios(run: Run, published: Site, change, code: int, word: str) -> None:
    published.publish(change(make_grid()))
    said = run("check")
    assert said.status == code, said
    assert said.out.startswith(f"RCMON {word}")
    assert (said.out.count("\n"), said.out.count("|"), said.err) == (1, 1, "")
    figures = dict(pair.split("=") for pair in said.out.strip().split(" | ")[1].split(" "))
    assert set(figures) == {"age", "findings_critical", "findings_warning", "findings_info"}


def test_check_of_a_site_tells_of_its_findings_alone(run: Run) -> None:
    said = run("check", "--site", "T2_US_MIT")
    assert said.status == 1
    assert said.out.startswith(
        "RCMON WARNING - warning: the agents hold T2_US_MIT in different states | age=12s;"
    )
    assert run("check", "--site", "T1_DE_KIT").status == 0
