"""`sites --wmcore` prints what the unmodified wmagent-resource-control -p prints of the same agent."""

import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from rcmon.model import Snapshot, SourceState
from rcmon.terminal.shapes import SiteThresholdsSeen, ThresholdSeen
from rcmon.terminal.wmcore import site_lines
from tests.browser.site import Site
from tests.peer.asking import ask
from tests.sources.polling import NOW, agent_of, poll
from tests.sources.sample import unpack
from tests.terminal.conftest import Run
from tests.terminal.grid import make_grid
from tests.web.grid import _site

ONCE = """
    DELETE FROM bl_runjob WHERE status = '1' AND EXISTS (
        SELECT 1 FROM bl_runjob later WHERE later.wmbs_id = bl_runjob.wmbs_id AND later.status = '1'
        AND (later.retry_count, later.id) > (bl_runjob.retry_count, bl_runjob.id))
"""
"""WMCore counts a job with several active batch rows once for each: here it has one."""


def blocks(text: str) -> dict[str, Counter[str]]:
    """Give the lines of each site, without workflows; WMCore orders task types by priority alone."""
    found: dict[str, Counter[str]] = {}
    for block in text.partition("\n\n")[2].split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("    ")]
        if lines:
            found[lines[0].partition(" - ")[0]] = Counter(lines)
    return found


def test_it_prints_what_wmcore_prints(run: Run, site: Site, tmp_path: Path) -> None:
    path = unpack(tmp_path / "agent.sqlite")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(ONCE)
    expected = ask("resource_control", {"database": str(path)})
    agent = agent_of(poll(f"sqlite:///{path}"))
    agents = {agent.name: agent}
    sites = {name: _site(name, agents) for name in agent.sites}
    source = SourceState(agent.name, "wmagent", True, False, NOW - 12, 0.1, None)
    site.publish(Snapshot(NOW - 12, 0.4, 60.0, (source,), agents, sites, ()))
    said = run("sites", "--wmcore")
    site.publish(make_grid())
    assert said.status == 0, said
    assert said.out.partition("\n\n")[0] == expected.partition("\n\n")[0]
    theirs, ours = blocks(expected), blocks(said.out)
    assert len(theirs) > 5
    assert {name: ours.get(name) for name in theirs} == theirs
    named = set(re.findall(r"^    \d+ - (\S+)$", said.out, re.MULTILINE))
    assert named <= set(re.findall(r"^    \d+ - /([^/\n]+)", expected, re.MULTILINE))


def test_over_several_agents_numbers_are_added_and_what_differs_is_told() -> None:
    one = SiteThresholdsSeen("Normal", {"Merge": ThresholdSeen(10, 5, 4, 1, 2)}, 1, 5, 2, 10)
    other = SiteThresholdsSeen("Down", {"Merge": ThresholdSeen(20, 7, 5, 3, 4)}, 3, None, 4, 20)
    assert list(site_lines("T1_X", {"a": one, "b": other}, lambda _: None)) == [
        (
            "T1_X - 6 running, 4 pending, 30 running slots total, 5 pending slots total,"
            " Site is Normal (a), Down (b):"
        ),
        "  Merge - 6 running, 4 pending, 30 max running, 12 max pending, priority 4/5",
        "",
    ]
    nothing = SiteThresholdsSeen(None, {"Merge": ThresholdSeen(None, None, None, 0, 1)}, 0, None, 1, None)
    assert list(site_lines("T1_X", {"a": nothing}, lambda _: None)) == [
        "T1_X - 1 running, 0 pending, ? running slots total, ? pending slots total, Site is unknown:",
        "  Merge - 1 running, 0 pending, no threshold",
        "",
    ]
