import re
from pathlib import Path

import pytest
import yaml

from rcmon.collector import findings
from rcmon.demo.pki import make_pki
from rcmon.monitoring.__main__ import files
from rcmon.monitoring.described import alerts, recordings
from rcmon.render.families.table import FAMILIES as SNAPSHOT_FAMILIES
from rcmon.web.telemetry.told import FAMILIES as OWN_FAMILIES
from tests.deployment.alerting import COURSES, completed, coursed, promtool
from tests.deployment.scraping import discovered, plainly

CONF = Path(__file__).parents[2] / "conf"
RULES = CONF / "prometheus" / "alerts.yml"
ALERTS = alerts()
EXPRESSIONS = "\n".join(one.expr for one in (*ALERTS, *recordings()))


@pytest.mark.parametrize("name", files())
def test_a_file_is_what_its_description_makes_of_it(name: str) -> None:
    assert (CONF / name).read_text() == files()[name], "python -m rcmon.monitoring conf writes it anew"


@pytest.mark.parametrize("name", ["alerts.yml", "recording.yml"])
def test_rules_are_valid(name: str) -> None:
    assert "SUCCESS" in promtool("check", "rules", CONF / "prometheus" / name)


def test_configuration_is_valid_where_its_files_are(tmp_path: Path) -> None:
    for path in (CONF / "prometheus").glob("*.yml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    made = make_pki(tmp_path / "made")
    tls = tmp_path / "tls"
    tls.mkdir()
    for source, target in (
        (made.ca, "ca.crt"),
        (made.certificate("reader"), "prometheus.crt"),
        (made.key("reader"), "prometheus.key"),
    ):
        (tls / target).write_bytes(source.read_bytes())
    for way in (plainly, discovered):
        given = way((CONF / "prometheus" / "prometheus.yml").read_text())
        assert [job["job_name"] for job in given["scrape_configs"]] == ["rcmon"]
        (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(given))
        assert "SUCCESS" in promtool("check", "config", tmp_path / "prometheus.yml")


def test_rules_use_metrics_and_labels_that_there_are() -> None:
    families = {family.name: set(family.labels) for family in (*SNAPSHOT_FAMILIES, *OWN_FAMILIES)}
    used = set(re.findall(r"\brcmon_\w+", EXPRESSIONS))
    assert len(used) > 8
    assert used <= set(families)
    for name, selector in re.findall(r"(rcmon_\w+)\{([^}]+)\}", EXPRESSIONS):
        assert set(re.findall(r"(\w+)(?:=|!=|=~|!~)", selector)) <= families[name]


def test_rules_ask_for_a_finding_that_there_is() -> None:
    asked = re.findall(r'kind(?:=|=~|!~)"([\w|]+)"', EXPRESSIONS.replace('kind="wmagent"', ""))
    kinds = {kind for one in asked for kind in one.split("|")}
    assert len(kinds) > 2
    assert kinds <= set(findings.KINDS)


def test_every_alert_that_a_finding_has_of_its_own_speaks_of_it() -> None:
    """What FindingCritical leaves out, another alert says."""
    texts = {alert.name: alert.expr + " ".join(alert.look) for alert in ALERTS}
    assert "rcmon_worker_up" in texts["AgentDown"]
    assert "worker_unhealthy" in texts["AgentComponentsDown"]
    assert "rcmon_quarantined_sites" in texts["UpstreamQuarantined"]


@pytest.mark.parametrize("groups", ["rcmon", "agents"])
def test_rules_fire_when_they_should_and_not_otherwise(groups: str, tmp_path: Path) -> None:
    written = Path(__file__).with_name(f"alerts_{groups}.yml")
    (tmp_path / "tests.yml").write_text(completed(written, RULES, ALERTS))
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "tests.yml")


def test_every_alert_is_raised_outlives_a_lost_scrape_and_ends(tmp_path: Path) -> None:
    """With well series it ends, and it stays away when there are none at all."""
    (tmp_path / "tests.yml").write_text(coursed(RULES, [one for one in ALERTS if one.name in COURSES]))
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "tests.yml")


def test_every_alert_has_a_course_but_the_one_that_absence_raises() -> None:
    assert {alert.name for alert in ALERTS} - set(COURSES) == {"RcmonAbsent"}


def test_alertmanagers_example_is_valid() -> None:
    assert "SUCCESS" in promtool("check-config", CONF / "prometheus" / "alertmanager.yml", program="amtool")


def test_alertmanagers_example_knows_the_labels_and_alerts_that_there_are() -> None:
    given = yaml.safe_load((CONF / "prometheus" / "alertmanager.yml").read_text())
    rules = given["inhibit_rules"]
    matchers = [one for rule in rules for one in (*rule["source_matchers"], *rule["target_matchers"])]
    parts = [re.fullmatch(r'(\w+)(?:=|!=|=~|!~)"?([^"]+)"?', one).groups() for one in matchers]
    assert {label for label, _ in parts} <= {"agent", "alertname", "scope", "severity"}
    named = {name for label, value in parts if label == "alertname" for name in value.split("|")}
    assert named <= {alert.name for alert in ALERTS}
    scopes = {name for label, value in parts if label == "scope" for name in value.split("|")}
    assert scopes <= {alert.scope for alert in ALERTS}
