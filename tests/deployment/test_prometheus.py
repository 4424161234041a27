import re
import subprocess
from pathlib import Path

import pytest

from rcmon.collector import findings
from rcmon.demo.pki import make_pki
from rcmon.render.families.table import FAMILIES as SNAPSHOT_FAMILIES
from rcmon.web.telemetry.told import FAMILIES as OWN_FAMILIES
from tests.servers import need

CONF = Path(__file__).parents[2] / "conf"


def promtool(*arguments: object) -> str:
    done = subprocess.run(
        [need("promtool"), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_rules_are_valid() -> None:
    assert "SUCCESS" in promtool("check", "rules", CONF / "alerts.yml")


def test_configuration_is_valid_where_its_files_are(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "alerts.yml"):
        (tmp_path / name).write_bytes((CONF / name).read_bytes())
    made = make_pki(tmp_path / "made")
    tls = tmp_path / "tls"
    tls.mkdir()
    for source, target in (
        (made.ca, "ca.crt"),
        (made.certificate("reader"), "prometheus.crt"),
        (made.key("reader"), "prometheus.key"),
    ):
        (tls / target).write_bytes(source.read_bytes())
    assert "SUCCESS" in promtool("check", "config", tmp_path / "prometheus.yml")


def test_rules_use_metrics_and_labels_that_there_are() -> None:
    families = {family.name: set(family.labels) for family in (*SNAPSHOT_FAMILIES, *OWN_FAMILIES)}
    text = (CONF / "alerts.yml").read_text()
    used = set(re.findall(r"\brcmon_\w+", text))
    assert len(used) > 8
    assert used <= set(families)
    for name, selector in re.findall(r"(rcmon_\w+)\{([^}]+)\}", text):
        assert set(re.findall(r"(\w+)=", selector)) <= families[name]


def test_rules_ask_for_a_finding_that_there_is() -> None:
    kinds = re.findall(r'kind="(\w+)"', (CONF / "alerts.yml").read_text())
    assert kinds
    assert set(kinds) <= set(findings.KINDS)


@pytest.mark.parametrize("groups", ["rcmon", "agents"])
def test_rules_fire_when_they_should_and_not_otherwise(groups: str) -> None:
    assert "SUCCESS" in promtool("test", "rules", Path(__file__).with_name(f"alerts_{groups}.yml"))
