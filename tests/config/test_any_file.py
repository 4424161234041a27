"""Whatever stands in a file that people write: it is read, or refused with a sentence that can be printed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from rcmon.access.roles import RoleTable
from rcmon.bridge.options import load as load_bridge
from rcmon.config import config
from rcmon.errors import ConfigError
from rcmon.sources.config import build_sources, load_sources
from rcmon.steering.settings import read_control
from tests.anything import words

SOURCES = """
[[source]]
name = "vocms0254"
kind = "wmagent"
url = "mysql://rcmon@db.example.org:3306/wmagent"
timeout = 7.5
[source.updater]
team = "production"
tier0 = true
pending_slots_site_percent = 75
t1_sites_cores = 12
[source.submitter]
max_jobs_per_owner = 100000
condor_jobs_fraction = 0.8

[[source]]
name = "board"
kind = "ssb"
url = "https://monit-grafana.example.org"
dataset = "9475"

[[source]]
name = "ads"
kind = "condor"
command = ["condor_q", "-json"]
max_age = 60
"""
CONTROL = """
[control]
mode = "observe"
[guard]
share = 0.3
window = 600
[agents."vocms0254"]
mode = "control"
weight = 2
team = 'production'
"""
ROLES = """
[roles]
reader = ["dn:/DC=ch/DC=cern/CN=a", "dn-under:/DC=ch/DC=cern", "fqan:/cms/Role=production"]
agent = [{ subject = "dns:a.example.org", agents = ["vocms0254"] }]
"""
SETTINGS = """
[server]
host = "localhost"
port = 5000
workers = 2
[collector]
cycle_interval = 60.5
[log]
level = "info"
"""
BRIDGE = """
[bridge]
url = "https://rcmon.example.org:5000"
agent = "vocms0281"
cert = "/etc/grid-security/hostcert.pem"
key = "/etc/grid-security/hostkey.pem"
ca = "/etc/grid-security/certificates"
token_file = "/etc/rcmon/bridge.token"
"""


def read_sources(path: Path) -> None:
    build_sources(load_sources(path))


def read_roles(path: Path) -> None:
    RoleTable.parse(path.read_text())


def read_settings(path: Path) -> None:
    config.load(["--config", str(path)], {}, "1.2.3")


def read_bridge(path: Path) -> None:
    load_bridge(["--config", str(path)], {}, "1.2.3")


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "sources": (read_sources, SOURCES),
    "control": (read_control, CONTROL),
    "roles": (read_roles, ROLES),
    "rcmon": (read_settings, SETTINGS),
    "bridge": (read_bridge, BRIDGE),
}


def refusal(read: Callable[[Path], object], path: Path) -> str | None:
    """Read a file; gives how it was refused."""
    try:
        read(path)
    except ConfigError as error:
        return str(error)
    return None


@pytest.mark.hypothesis
@pytest.mark.parametrize("name", FILES)
def test_any_text_is_read_or_refused_with_a_sentence(name: str, tmp_path: Path) -> None:
    read, sound = FILES[name]
    path = tmp_path / f"{name}.toml"

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(words(sound))
    def any_text(text: str) -> None:
        path.write_text(text, "utf-8", "surrogatepass")
        told = refusal(read, path)
        assert told is None or told.strip()
        assert told is None or told.replace("\n", "").isprintable(), told

    path.write_text(sound)
    path.chmod(0o600)
    read(path)
    any_text()
