"""The bridge's parts: its certificate, its options, the agent's configuration, and what `--check` says."""

import datetime as dt
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from rcmon.bridge.agent_config import leads_to, lines_to_change, said
from rcmon.bridge.answer import Rows, StateRow
from rcmon.bridge.chain import Chain
from rcmon.bridge.doubt import DoubtError
from rcmon.bridge.loopback import LIFETIME, LoopbackTLS
from rcmon.bridge.node import NodeFiles, load_node
from rcmon.bridge.options import load
from rcmon.bridge.outcomes import Outcomes
from rcmon.errors import ConfigError
from tests.access import pki
from tests.bridge.bridging import TOKEN, Place
from tests.bridge.upstream import AGENT, ROOT, double, http
from tests.integration.running import PROJECT

NOW = 1_795_000_000.0
DAY = 86_400.0


def served(tls: LoopbackTLS) -> x509.Certificate:
    """Shake hands and take the server's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = tls.context.wrap_bio(to_server, to_client, server_side=True)
    client = context.wrap_bio(to_client, to_server)
    for _ in range(8):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return x509.load_der_x509_certificate(client.getpeercert(binary_form=True) or b"")


def valid_at(certificate: x509.Certificate, now: float) -> bool:
    moment = dt.datetime.fromtimestamp(now, dt.UTC)
    return certificate.not_valid_before_utc <= moment < certificate.not_valid_after_utc


def test_the_loopback_certificate_is_for_the_address_that_it_listens_at() -> None:
    names = served(LoopbackTLS("127.0.0.7", NOW)).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == ["localhost"]
    assert {"127.0.0.7", "127.0.0.1", "::1"} == set(map(str, names.value.get_values_for_type(x509.IPAddress)))


def test_the_loopback_certificate_never_ends_under_a_running_bridge() -> None:
    tls = LoopbackTLS("127.0.0.1", NOW)
    now, serials = NOW, set()
    for _ in range(200):
        now += DAY
        tls.renew(now)
        certificate = served(tls)
        assert valid_at(certificate, now + DAY)
        serials.add(certificate.serial_number)
    assert len(serials) == pytest.approx(200 * DAY / (LIFETIME / 2), abs=1)


@pytest.mark.parametrize("jump", [-400 * DAY, -DAY, 40 * DAY, 4000 * DAY])
def test_after_the_clock_was_set_the_loopback_certificate_is_of_now(jump: float) -> None:
    tls = LoopbackTLS("127.0.0.1", NOW)
    assert not tls.renew(NOW + 60)
    assert tls.renew(NOW + jump)
    assert valid_at(served(tls), NOW + jump)


@pytest.mark.alone
def test_the_loopbacks_key_lies_on_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    before = len([*Path("/proc/self/fd").iterdir()])
    LoopbackTLS("127.0.0.1", NOW)
    assert [*tmp_path.iterdir()] == []
    assert len([*Path("/proc/self/fd").iterdir()]) == before


REQUIRED = ["--url", "https://h:1", "--agent", "a", "--cert", "c", "--ca", "d", "--token-file", "t"]


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text('[bridge]\nlisten = "127.0.0.1:1"\ntimeout = 3\nlog_level = "error"\n')
    given = [*REQUIRED, "--config", str(file), "--listen", "127.0.0.1:3"]
    found = load(given, {"RCMON_BRIDGE_LISTEN": "127.0.0.1:2", "RCMON_BRIDGE_TIMEOUT": "4"}, "test")
    assert (found.port, found.timeout, found.log_level) == (3, 4.0, "error")
    assert found.key == found.cert


@pytest.mark.parametrize(
    "content", ["[bridge]\nurll = 'x'", "url = 'x'", "[server]\nport = 1", "[bridge", "[bridge]\nurl = [1]"]
)
def test_a_file_with_anything_else_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "bridge.toml").write_text(content)
    with pytest.raises(ConfigError, match=r"bridge\.toml"):
        load([*REQUIRED, "--config", str(tmp_path / "bridge.toml")], {}, "test")


def test_all_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        load(["--agent", "a"], {}, "test")
    assert [message.split()[0] for message in raised.value.messages] == [
        "--url", "--cert", "--ca", "--token-file"
    ]  # fmt: skip


@pytest.mark.parametrize("listen", ["localhost:8449", "127.0.0.1:8449", "[::1]:8449", "127.1.2.3:8449"])
def test_loopback_addresses_are_taken(listen: str) -> None:
    assert load([*REQUIRED, "--listen", listen], {}, "test").port == 8449


CONFIG = """
from WMCore.Configuration import Configuration
config = Configuration()
config.section_("AgentStatusWatcher")
config.AgentStatusWatcher.grafanaURL = "https://monit-grafana.cern.ch"
config.AgentStatusWatcher.grafanaURL = 'https://127.0.0.1:8449/grafana/'
config.AgentStatusWatcher.grafanaSSB = "vocms0281"
config.AgentStatusWatcher.grafanaToken = open("/etc/token").read()
import os; os.remove("/nonexistent")
"""


def test_the_agents_configuration_is_read_and_never_run(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text(CONFIG)
    found = said(tmp_path / "config.py")
    assert found["grafanaURL"] == "https://127.0.0.1:8449/grafana/"
    assert found["grafanaSSB"] == "vocms0281"
    assert "onlySSB" not in found
    assert leads_to(found["grafanaURL"], "127.0.0.1:8449")
    for other in (
        "http://127.0.0.1:8449",
        "https://127.0.0.1:8450",
        "https://127.0.0.1",
        7,
        None,
        "https://[",
    ):
        assert not leads_to(other, "127.0.0.1:8449")


@pytest.mark.parametrize("content", ["x = (", "\0", "é".encode("latin-1").decode("latin-1") + " ="])
def test_what_is_no_configuration_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.py").write_text(content)
    with pytest.raises(ConfigError, match=r"config\.py"):
        said(tmp_path / "config.py")


def run_check(place: Place, url: str, *more: str) -> tuple[int, str]:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "rcmon.bridge", "--check"),
            *place.options(url, "--listen", "127.0.0.1:8449", *more),
        ],
        capture_output=True, text=True, check=False, timeout=300, env={"PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def agents_config(directory: Path, lines: list[str]) -> list[str]:
    (directory / "config.py").write_text("\n".join(lines))
    return ["--agent-config", str(directory / "config.py")]


def test_check_says_that_all_fits_and_prints_the_lines_of_the_agent(tmp_path: Path) -> None:
    place = Place(tmp_path)
    lines = lines_to_change("127.0.0.1:8449", AGENT, place.token)
    with double() as rcmon:
        code, printed = run_check(place, rcmon.url, *agents_config(tmp_path, lines))
    assert code == 0, printed
    assert all(line in printed for line in lines)
    assert "rcmon gives scap15min of 3 sites in version 7" in printed
    assert "error" not in printed
    assert TOKEN not in printed


def test_the_lines_give_the_agent_the_token(tmp_path: Path) -> None:
    """They are Python, which the agent runs."""
    place = Place(tmp_path)
    watcher = type("Section", (), {})()
    config = type("Configuration", (), {"AgentStatusWatcher": watcher})()
    for content in (TOKEN, f"Bearer {TOKEN}\n"):
        place.token.write_text(content)
        exec("\n".join(lines_to_change("127.0.0.1:8449", AGENT, place.token)), {"config": config})
        assert watcher.grafanaToken == f"Bearer {TOKEN}"


def test_check_names_all_that_does_not_fit(tmp_path: Path) -> None:
    place = Place(tmp_path)
    config = agents_config(
        tmp_path,
        [
            'config.AgentStatusWatcher.grafanaURL = "https://monit-grafana.cern.ch"',
            f'config.AgentStatusWatcher.grafanaToken = "Bearer {TOKEN}x"',
            "config.AgentStatusWatcher.enabled = False",
        ],
    )
    with double() as rcmon:
        rcmon.say = lambda *_: http({"detail": "agent vocms0281 is in mode observe"}, "409 Conflict")
        code, printed = run_check(place, rcmon.url, *config)
    assert code == 1
    for word in (
        "in mode observe",
        "grafanaURL",
        "grafanaSSB is None",
        "grafanaToken is not",
        "enabled is False",
    ):
        assert word in printed
    assert TOKEN not in printed


def test_check_names_a_missing_token_and_an_expired_certificate(tmp_path: Path) -> None:
    expired = pki.entity(
        pki.name("DC=ch", "CN=n"), ROOT, begins=dt.timedelta(days=-3), lasts=dt.timedelta(days=1)
    )
    place = Place(tmp_path, expired)
    place.token.unlink()
    code, printed = run_check(place, "https://localhost:1")
    assert code == 1
    assert "token" in printed
    assert "ended" in printed


def states(time: float, *names: str) -> Rows:
    return Rows("sts15min", time, {name: StateRow(name, "enabled") for name in names})


def test_an_older_version_is_not_followed_but_a_new_store_is() -> None:
    chain = Chain()
    chain.begin("sts15min")
    chain.take(9, states(NOW, "A"))
    with pytest.raises(DoubtError, match="from version 9 to 8"):
        chain.take(8, states(NOW - 60, "A"))
    chain.take(1, states(NOW + 60, "A"))


def test_a_certificate_whose_subject_is_no_text_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path)
    whole = pki.issue(pki.name("CN=wxyz"), None)
    der = whole.certificate.public_bytes(Encoding.DER).replace(b"wxyz", b"\xff" * 4)
    place.cert.write_text(ssl.DER_cert_to_PEM_cert(der))
    with pytest.raises(ConfigError, match=f"--cert {place.cert}: its subject cannot be read"):
        load_node(NodeFiles(place.cert, place.cert, place.ca))


def test_strangers_cannot_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    outcomes = Outcomes(lambda: now)
    for number in range(1000):
        now = float(number)
        outcomes.refused("token", "no token")
        outcomes.refused("dataset", "another name")
    assert len(caplog.records) == 2
    assert outcomes.last == "nothing was asked yet"
