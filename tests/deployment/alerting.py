"""For each alert the course of series that raise it, clear it, and vanish: promtool tests are made of it."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from rcmon.monitoring.described import Alert
from rcmon.monitoring.rules import URL
from tests.servers import need

Course = tuple[str, float, float]
"""A series, its value while all is ill, and while all is well; a value `STEP` grows by one a minute."""
STEP = -1
ILL, WELL = 60, 90
"""Minutes: until when all is ill, and then well; after that there is nothing."""

COURSES: Mapping[str, tuple[Course, ...]] = {
    "RcmonSnapshotOld": (
        ("rcmon_cycle_start_timestamp_seconds", 0, 1e9),
        ("rcmon_cycle_interval_seconds", 60, 60),
    ),
    "RcmonSourceDown": (('rcmon_source_up{source="x", kind="ssb"}', 0, 1),),
    "RcmonAllSourcesDown": (
        ('rcmon_source_up{source="x", kind="ssb", instance="a"}', 0, 1),
        ('rcmon_source_up{source="y", kind="cric", instance="b"}', 0, 0),
    ),
    "RcmonSourceLost": (('rcmon_status_reasons{reason="source_lost"}', 1, 0),),
    "RcmonClockDiffers": (('rcmon_status_reasons{reason="clock_differs"}', 1, 0),),
    "RcmonStoreUnreadable": (("rcmon_store_up", 0, 1),),
    "RcmonProcessDown": (('rcmon_process_up{process="web-0"}', 0, 1),),
    "RcmonTrouble": (('rcmon_trouble{process="web-0", what="store"}', 1, 0),),
    "RcmonProcessRestarts": (('rcmon_process_restarts_total{process="web-0"}', STEP, 60),),
    "RcmonReloadFailed": (('rcmon_config_last_reload_successful{what="tls"}', 0, 1),),
    "RcmonCertificateEnds": (("rcmon_tls_certificate_not_after_timestamp_seconds", 600000, 6000000),),
    "RcmonRevocationListOld": (('rcmon_tls_crl_next_update_timestamp_seconds{issuer="x"}', 60, 1e9),),
    "AgentDown": (
        ('rcmon_worker_up{agent="a", component="c", worker="v"}', 0, 1),
        ('rcmon_worker_up{agent="a", component="d", worker="w"}', 0, 0),
    ),
    "AgentDataOld": (
        ('rcmon_agent_polled_timestamp_seconds{agent="a"}', 0, 1e9),
        ("rcmon_cycle_interval_seconds", 60, 60),
    ),
    "AgentComponentsDown": (
        ('rcmon_worker_up{agent="a", component="c", worker="v"}', 0, 1),
        ('rcmon_worker_up{agent="a", component="d", worker="w"}', 1, 1),
    ),
    "AgentThresholdsCollapsed": (('rcmon_site_running_slots{agent="a", site="T1"}', 50, 900),),
    "AgentSitesDown": (('rcmon_site_state{agent="a", site="T1", state="Down"}', 1, 0),),
    "AgentNothingRuns": (
        ('rcmon_site_running_jobs{agent="a", site="T1"}', 0, 5),
        ('rcmon_site_pending_jobs{agent="a", site="T1"}', 500, 500),
    ),
    "AgentsDisagree": (('rcmon_findings{agent="", kind="state_disagreement"}', 3, 0),),
    "UpstreamQuarantined": (('rcmon_quarantined_sites{cause="emptied"}', 7, 0),),
    "FindingCritical": (
        ('rcmon_findings{agent="a", kind="thresholds_collapsed", severity="critical"}', 1, 0),
    ),
}
"""RcmonAbsent is the one that absent series raise: it has a test of its own."""


def promtool(*arguments: object, program: str = "promtool") -> str:
    """Run promtool or amtool, which must succeed; gives what it says."""
    done = subprocess.run(
        [need(program), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def described(alert: Alert, expected: Mapping[str, Any]) -> dict[str, Any]:
    """Add to what is expected of an alert what its description says."""
    labels = {"severity": alert.severity, "scope": alert.scope, **expected["exp_labels"]}
    runbook = (alert.runbook or alert.name).replace("{{ $labels.kind }}", labels.get("kind", ""))
    given = {"description": alert.meaning, "runbook_url": f"{URL}/runbooks/{runbook}"}
    return {"exp_labels": labels, "exp_annotations": {**given, **expected["exp_annotations"]}}


def completed(path: Path, rules: Path, alerts: Sequence[Alert]) -> str:
    """Complete a written file of tests."""
    by_name = {alert.name: alert for alert in alerts}
    given = yaml.safe_load(path.read_text())
    for test in given["tests"]:
        for one in test["alert_rule_test"]:
            known = by_name[one["alertname"]]
            one["exp_alerts"] = [described(known, wanted) for wanted in one.get("exp_alerts", ())]
    return json.dumps({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": given["tests"]})


def course(series: Course) -> dict[str, str]:
    """Write a series: ill with one lost scrape, then well, then away."""
    name, ill, well = series
    if ill == STEP:
        return {"series": name, "values": f"0+1x{ILL - 1} {well:.0f}x{WELL - ILL - 1} stale"}
    return {
        "series": name,
        "values": f"{ill:.0f}x{ILL - 6} stale {ill:.0f}x3 {well:.0f}x{WELL - ILL - 1} stale",
    }


def coursed(rules: Path, alerts: Sequence[Alert]) -> str:
    """Write the tests of alerts that are raised, are not begun anew by a lost scrape, end, and stay away."""
    tests = [_coursed(alert) for alert in alerts]
    return json.dumps({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": tests})


def _coursed(alert: Alert) -> dict[str, Any]:
    firing = f'(count(ALERTS{{alertname="{alert.name}", alertstate="firing"}}) or vector(0)) > bool 0'
    expected = {f"{ILL - 2}m": 1, f"{WELL - 2}m": 0, f"{WELL + 10}m": 0}
    if alert.lasting:
        expected["0m"] = 0
    return {
        "name": alert.name,
        "interval": "1m",
        "input_series": [course(series) for series in COURSES[alert.name]],
        "promql_expr_test": [
            {"expr": firing, "eval_time": minute, "exp_samples": [{"labels": "{}", "value": value}]}
            for minute, value in expected.items()
        ],
    }
