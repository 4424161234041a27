"""Job ads: what is idle for a site, what can run nowhere else, what runs; what is odd costs itself alone."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rcmon.errors import ConfigError, SourceError
from rcmon.files.reading import read_dated
from rcmon.model import AgentReport, Pressure, SubmitReport, Upstream
from rcmon.sources.base import LateFile
from rcmon.sources.condor import CondorConfig, CondorSource
from rcmon.sources.config import build_sources, load_sources
from tests.collector.steady import Steady
from tests.scripted import Scripted, until
from tests.store.made import agent

RECORDED = Path(__file__).parents[1] / "data" / "upstream" / "condor_q.json"
NOW = time.time()


def ad(status: Any = 1, desired: Any = "T2_A", **more: Any) -> dict[str, Any]:
    made = {"JobStatus": status, "DESIRED_Sites": desired, "CMS_JobType": "Merge", "WMAgent_AgentName": "a"}
    return made | more


def source_of(path: Path | None = None, **settings: Any) -> CondorSource:
    return CondorSource(CondorConfig(name="s", file=LateFile(path) if path else None, **settings))


def written(path: Path, text: str) -> None:
    """Write a file as of NOW, however long ago that is by now."""
    path.write_text(text)
    os.utime(path, (NOW, NOW))


async def said(path: Path, ads: Any, **settings: Any) -> Upstream:
    path.write_text(ads if isinstance(ads, str) else json.dumps(ads))
    upstream = (await source_of(path, **settings).poll(time.time())).upstream
    assert upstream is not None
    return upstream


async def test_recorded_ads(tmp_path: Path) -> None:
    found = await said(tmp_path / "ads", RECORDED.read_text())
    idle, running = Pressure(18, 0, 0), Pressure(18, 0, 2)
    assert found.pressure == {
        "WMAgent": {
            "T1_US_FNAL": {"Processing": idle},
            "T2_CH_CERN": {"Processing": idle},
            "T2_XX_SiteA": {"Processing": running},
        }
    }
    assert found.findings == ()


async def test_each_status_counts_as_what_it_is(tmp_path: Path) -> None:
    at = {"MachineAttrGLIDEIN_CMSSite0": "T2_B"}
    ads = [ad(status, **at) for status in range(1, 8)] + [ad(1, "T2_A, T2_B"), ad(1, "T2_A T2_A")]
    found = await said(tmp_path / "ads", ads)
    assert found.pressure == {
        "a": {"T2_A": {"Merge": Pressure(3, 2, 0)}, "T2_B": {"Merge": Pressure(1, 0, 2)}}
    }
    assert found.findings == ()


async def test_the_sources_agent_speaks_before_the_ads(tmp_path: Path) -> None:
    found = await said(tmp_path / "ads", [ad(WMAgent_AgentName=None)], agent="vocms0254")
    assert list(found.pressure or {}) == ["vocms0254"]
    assert (await said(tmp_path / "ads", [], agent="vocms0254")).pressure == {"vocms0254": {}}
    assert (await said(tmp_path / "ads", [])).pressure == {}


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (None, "condor_ad_unreadable"),
        (7, "condor_ad_unreadable"),
        ([], "condor_ad_unreadable"),
        ({}, "condor_ad_unreadable"),
        (ad(0), "condor_ad_unreadable"),
        (ad(8), "condor_ad_unreadable"),
        (ad("1"), "condor_ad_unreadable"),
        (ad(True), "condor_ad_unreadable"),
        (ad(2**70), "condor_ad_unreadable"),
        (ad(CMS_JobType=None), "condor_ad_unreadable"),
        (ad(CMS_JobType="/Expr(x)/"), "condor_ad_unreadable"),
        (ad(CMS_JobType="a\nb"), "condor_ad_unreadable"),
        (ad(1, "T2_A," + "x" * 300), "condor_ad_unreadable"),
        (ad(WMAgent_AgentName=None), "condor_ad_of_no_agent"),
        (ad(WMAgent_AgentName=["a"]), "condor_ad_of_no_agent"),
        (ad(1, None), "condor_idle_nowhere"),
        (ad(1, " , "), "condor_idle_nowhere"),
        (ad(1, "/Expr(ifThenElse(x))/"), "condor_idle_nowhere"),
        (ad(2), "condor_running_nowhere"),
        (ad(6, MachineAttrGLIDEIN_CMSSite0="undefined"), "condor_running_nowhere"),
    ],
)
async def test_a_bad_ad_costs_itself(tmp_path: Path, bad: Any, kind: str) -> None:
    found = await said(tmp_path / "ads", [ad(), bad, bad])
    assert found.pressure == {"a": {"T2_A": {"Merge": Pressure(1, 1, 0)}}}
    (finding,) = found.findings
    assert (finding.kind, finding.count, finding.agent) == (kind, 2, None)
    assert finding.message.startswith("the first because ")


@pytest.mark.parametrize("content", ["", "null", "{}", "[{}", "[{}, {", "junk", "\x00" * 100, "[" * 99999])
async def test_what_is_no_list_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(SourceError, match="no list in JSON, as condor_q -json writes"):
        await said(tmp_path / "ads", content)


async def test_a_file_that_is_old_or_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ads"
    with pytest.raises(SourceError, match="ads: cannot be read: No such file"):
        await source_of(path).poll(NOW)
    path.write_text("[]")
    os.utime(path, (NOW - 1000, NOW - 1000))
    with pytest.raises(SourceError, match=r"was written \d+ s ago; right is at most 900 s"):
        await source_of(path).poll(NOW)
    assert (await source_of(path, max_age=2000.0).poll(NOW)).upstream == Upstream(pressure={})
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(SourceError, match="is no regular file"):
        await source_of(path).poll(NOW)


async def test_a_file_whose_time_is_far_ahead_says_nothing_about_now(tmp_path: Path) -> None:
    path = tmp_path / "ads"
    path.write_text("[]")
    os.utime(path, (NOW + 200, NOW + 200))
    assert (await source_of(path).poll(NOW)).upstream == Upstream(pressure={})
    os.utime(path, (NOW + 400, NOW + 400))
    with pytest.raises(SourceError, match=r"its time is 400 s ahead; right is at most 300 s"):
        await source_of(path).poll(NOW)


async def test_the_age_is_of_what_was_read_though_another_file_comes_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced(*arguments: Any) -> tuple[bytes, float]:
        found = read_dated(*arguments)
        path.unlink()
        path.write_text("[]")
        return found

    path = tmp_path / "ads"
    path.write_text("[]")
    os.utime(path, (NOW - 1000, NOW - 1000))
    monkeypatch.setattr("rcmon.sources.condor.source.read_dated", replaced)
    with pytest.raises(SourceError, match="was written 1000 s ago"):
        await source_of(path).poll(NOW)


@pytest.mark.parametrize("ahead", [AgentReport(NOW, None, None, None, None), SubmitReport(NOW)])
def test_a_report_from_far_ahead_is_stale(ahead: AgentReport | SubmitReport) -> None:
    assert [ahead.is_stale(NOW + late) for late in (-86_400, -301, -300, 0, 1200, 1201)] == [
        True, True, False, False, False, True,
    ]  # fmt: skip


def command(script: str, *arguments: str) -> CondorSource:
    return source_of(command=(sys.executable, "-c", script, *arguments))


async def test_a_file_is_read_again_when_it_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ads"
    path.write_text(json.dumps([ad()]))
    written = time.time()
    # a file written just now always looks like another
    monkeypatch.setattr("rcmon.files.stamp.time.time_ns", lambda: int((written + 60) * 1e9))
    source = source_of(path, max_age=100.0)
    first = (await source.poll(written)).upstream
    assert first is not None
    assert (await source.poll(written + 50)).upstream is first
    with pytest.raises(SourceError, match=r"was written 20. s ago; right is at most 100"):
        await source.poll(written + 200)
    path.write_text("what is this")
    with pytest.raises(SourceError, match="no list in JSON"):
        await source.poll(written)
    path.write_text(json.dumps([ad(2)]))
    again = (await source.poll(written)).upstream
    assert again is not None
    assert again.pressure != first.pressure


async def test_a_command_is_run_and_read() -> None:
    found = (await command(f"print({json.dumps(json.dumps([ad()]))})").poll(NOW)).upstream
    assert found == Upstream(pressure={"a": {"T2_A": {"Merge": Pressure(1, 1, 0)}}})
    assert (await command("").poll(NOW)).upstream == Upstream(pressure={})


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("import sys; sys.exit('no schedd')", "failed with status 1: no schedd"),
        ("import sys; print('[]'); sys.exit(3)", "failed with status 3: it does not say why"),
        ("import os; os.kill(os.getpid(), 9)", "failed with status -9"),
        ("print('[')", "no list in JSON"),
        ("while True: print('x' * 100000)", "writes more than 1000000 octets"),
        ("import sys; sys.stderr.write('x' * 9999999); sys.exit(1)", "failed with status 1: xxx"),
    ],
)
async def test_a_command_that_fails_is_told(script: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rcmon.sources.condor.source.MOST", 1_000_000)
    with pytest.raises(SourceError) as caught:
        await command(script).poll(NOW)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


async def test_a_command_that_is_not_there_is_told() -> None:
    with pytest.raises(SourceError, match="command '/nowhere' cannot be started: No such file"):
        await source_of(command=("/nowhere",)).poll(NOW)


FAMILY = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    with open(sys.argv[1] + ".new", "w") as file:
        file.write(f"{os.getpid()} {child}")
    os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(1000)
"""


async def test_a_command_that_hangs_ends_at_once_with_its_children(tmp_path: Path) -> None:
    path = tmp_path / "pids"
    task = asyncio.create_task(command(FAMILY, str(path)).poll(NOW))
    await until(path.exists)
    pids = [int(word) for word in path.read_text().split()]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not any(alive(pid) for pid in pids))


def alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie of which init has not heard does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_a_bad_file_changes_nothing_that_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "ads"
    written(path, json.dumps([ad()]))
    cycle = Steady([source_of(path), Scripted("other", [agent("b", polled_at=NOW)])], 3600.0, 36_000.0)
    before = await cycle.run_once(NOW)
    written(path, "[")
    after = await cycle.run_once(NOW + 60)
    await cycle.close()
    assert before.given == after.given
    assert [(state.up, state.stale) for state in after.sources] == [(False, True), (True, False)]
    assert [finding.kind for finding in set(after.findings) - set(before.findings)] == ["source_failing"]


def test_it_is_either_a_file_or_a_command(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    head = '[[source]]\nname = "s"\nkind = "condor"\n'
    for text in ("", 'file = "a"\ncommand = ["b"]\n'):
        path.write_text(head + text)
        with pytest.raises(ConfigError, match="either file or command"):
            build_sources(load_sources(path))
    for text in ("command = []\n", 'command = "a b"\n', 'command = [""]\n', "command = [1]\n"):
        path.write_text(head + text)
        with pytest.raises(ConfigError, match="command"):
            load_sources(path)
    path.write_text(head + 'file = "not/there/yet"\n')
    assert [source.kind for source in build_sources(load_sources(path))] == ["condor"]
