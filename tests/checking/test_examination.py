"""`--check-config`: everything that is wrong at once, and never "right" for what would not work."""

import asyncio
import datetime as dt
import json
import os
import re
import socket
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from rcmon.demo.pki import make_pki
from rcmon.process import bind_local
from tests.access import crl_pki, pki
from tests.checking.conftest import Place
from tests.sources.http.kinds import cric
from tests.sources.http.webservice import answer, serving

as_root = pytest.mark.skipif(os.geteuid() == 0, reason="to root every directory can be written")


def only(lines: list[str], *words: str) -> None:
    """Hold that there is one line, and what it says."""
    assert len(lines) == 1, lines
    for word in words:
        assert word in lines[0]


def test_what_is_right_is_right_and_told_in_a_summary(place: Place) -> None:
    report = place.examine()
    assert (report.errors, report.warnings) == ([], [])
    assert report.verdict == "the configuration is right"
    told = "\n".join(report.facts)
    for words in (
        "sources: 1 wmagent (good)",
        "people: reader 2, operator 1",
        "certificate: CN=host",
        "until 20",
    ):
        assert words in told
    assert not (place.path / "state").exists(), "nothing is made"


def test_an_expired_certificate(place: Place) -> None:
    place.certify(begins=-30, days=29)
    only(place.examine().warnings, "host.pem", "expired at", "every client will refuse it")


def test_a_certificate_that_is_not_valid_yet(place: Place) -> None:
    place.certify(begins=2)
    only(place.examine().warnings, "valid from")


def test_a_certificate_that_expires_soon(place: Place) -> None:
    place.certify(days=5)
    only(place.examine().warnings, "expires in 4 days")


def test_a_certificate_for_clients_only_stops_the_start(place: Place) -> None:
    place.certify(eku=Eku.CLIENT_AUTH)
    only(place.examine().errors, "host.pem", "not for servers", "serverAuth")
    done = place.run()
    assert done.returncode == 78
    only(done.stderr.splitlines(), "not for servers")


def test_a_certificate_for_another_host(place: Place) -> None:
    place.certify("mon.example.org", "*.example.net")
    only(place.examine().warnings, "is for mon.example.org, *.example.net", "by the name localhost")
    assert not place.examine(host="localhost").errors
    place.certify("*.localdomain")
    only(place.examine(host="localhost").warnings, "localhost will refuse it")


def test_a_key_that_others_may_read(place: Place) -> None:
    (place.path / "host.key").chmod(0o644)
    only(place.examine().errors, "host.key", "chmod 600")


def test_a_ca_that_expired_and_lists_that_are_overdue_or_missing(place: Place) -> None:
    old = pki.issue(
        pki.name("DC=org", "CN=Old CA"), None, extensions=[(pki.SIGN_USE, True)],
        begins=dt.timedelta(days=-30), lasts=dt.timedelta(days=10),
    )  # fmt: skip
    (place.path / "ca.pem").write_bytes(place.root.certificate_pem + old.certificate_pem)
    overdue = crl_pki.crl(place.root, begins=dt.timedelta(days=-9), lasts=dt.timedelta(days=1))
    (place.path / "crl.pem").write_bytes(crl_pki.pem(overdue))
    warnings = place.examine(tls_crl="require", tls_crl_file=str(place.path / "crl.pem")).warnings
    assert len(warnings) == 3
    for words in ("CN=Old CA,DC=org: expired at", "crl.pem: overdue since", "1 CAs have no revocation list"):
        assert sum(words in warning for warning in warnings) == 1, (words, warnings)


def test_a_named_list_that_cannot_be_used_stops_the_start(place: Place) -> None:
    (place.path / "crl.pem").write_text("garbage")
    only(place.examine(tls_crl_file=str(place.path / "crl.pem")).errors, "crl.pem")


def test_no_reader_at_all(place: Place) -> None:
    place.roles()
    report = place.examine()
    only(report.warnings, "nobody may read")
    assert "people: none" in report.facts


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('"fqan:/cms/Role=production"', "without --vomsdir"),
        ('{subject = "dn:/DC=org/CN=x", issuer = "dn:/DC=org/CN=Another CA"}', "is not among the CAs"),
        ('"dn:/DC=org/CN=alice/CN=proxy"', "names a proxy"),
    ],
)
def test_an_entry_that_can_match_nobody(place: Place, entry: str, words: str) -> None:
    place.roles(f'reader = ["dn:/DC=org/CN=alice", {entry}]')
    only(place.examine().warnings, "matches nobody", words)


def test_an_attribute_of_a_vo_whose_servers_are_not_known(place: Place) -> None:
    place.roles('reader = ["fqan:/cms/Role=production", "fqan:/atlas"]')
    (place.path / "vomsdir" / "cms").mkdir(parents=True)
    (place.path / "vomsdir" / "cms" / "voms.example.org.lsc").write_text(
        "/DC=org/CN=voms\n/DC=org/CN=Test CA\n"
    )
    only(place.examine(vomsdir=str(place.path / "vomsdir")).warnings, "fqan:/atlas", "holds no .lsc file")


def test_a_sqlite_source_that_is_not_there(place: Place) -> None:
    place.sources(f'name = "gone"\nurl = "sqlite:///{place.path}/gone.sqlite"')
    only(place.examine().warnings, "source gone: there is no SQLite file", "gone.sqlite")


def test_a_host_that_does_not_resolve(place: Place) -> None:
    place.sources('name = "far"\nurl = "mysql://u@no.such.host.invalid/x"')
    only(place.examine().warnings, "source far: host 'no.such.host.invalid' is not known")
    only(place.examine(database="postgresql://u@no.such.host.invalid/x").errors, "--database", "is not known")


def test_one_database_under_two_names(place: Place) -> None:
    place.agent("agent.sqlite")
    (place.path / "link.sqlite").symlink_to(place.path / "agent.sqlite")
    place.sources(
        f'name = "a"\nurl = "sqlite:///{place.path}/agent.sqlite"',
        f'name = "b"\nurl = "sqlite:///{place.path}/link.sqlite"',
        'name = "c"\nurl = "mysql://one@localhost/x"',
        'name = "d"\nurl = "mysql://two@localhost/x"',
        'name = "e"\nurl = "mysql://two@localhost/y"',
    )
    assert place.examine().warnings == [
        "sources a and b are one database: what it holds counts twice",
        "sources c and d are one database: what it holds counts twice",
    ]


def test_a_timeout_longer_than_a_cycle(place: Place) -> None:
    only(place.examine(cycle_interval="2").warnings, "source good", "longer than a cycle")


def test_an_impossible_state_directory(place: Place) -> None:
    (place.path / "file").touch()
    only(place.examine(state_dir=str(place.path / "file" / "below")).errors, "--state-dir", "Not a directory")
    only(place.examine(state_dir=str(place.path / "file")).errors, "--state-dir", "not a directory")
    only(place.examine(state_dir="/proc/rcmon").errors, "--state-dir", "/proc")


@as_root
def test_a_state_directory_and_a_log_that_cannot_be_written(place: Place) -> None:
    (place.path / "closed").mkdir(mode=0o500)
    closed = place.path / "closed"
    only(place.examine(state_dir=str(closed / "state")).errors, "--state-dir", "cannot be written")
    only(place.examine(log_file=str(closed / "log")).errors, "--log-file", "cannot be written")


def test_a_log_file_without_a_directory(place: Place) -> None:
    only(place.examine(log_file=str(place.path / "none" / "log")).errors, "--log-file", "has no directory")
    only(place.examine(log_file=str(place.path)).errors, "--log-file", "is a directory")
    assert not place.examine(log_file=str(place.path / "new.log")).errors


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Tornado leaves it unclosed
def test_a_port_in_use(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        only(place.examine(host="127.0.0.1", port=str(port)).errors, str(port), "in use")


def test_the_port_of_the_service_that_runs_here_is_no_fault(place: Place) -> None:
    """Its configuration is checked before a HUP."""
    (place.path / "state").mkdir()
    local = bind_local(place.path / "state" / "health.sock")
    assert local is not None
    with local, socket.create_server(("127.0.0.1", 0)) as taken:
        report = place.examine(host="127.0.0.1", port=str(taken.getsockname()[1]))
    assert not report.errors
    assert any("a service runs with the state directory" in fact for fact in report.facts)


def test_secrets_that_others_may_read(place: Place) -> None:
    for name in ("password", "store"):
        (place.path / name).write_text("secret")
        (place.path / name).chmod(0o644)
    place.sources('name = "a"\nurl = "mysql://u@localhost/x"\npassword_file = "password"')
    warnings = place.examine(
        database="postgresql://u@localhost/x", database_password_file=str(place.path / "store")
    ).warnings
    assert [warning.split(";")[1] for warning in warnings] == [
        f" do: chmod 600 {place.path}/password",
        f" do: chmod 600 {place.path}/store",
    ]


def test_limits_that_cannot_be_kept(place: Place) -> None:
    warnings = place.examine(max_connections="1000000", stale_after="30").warnings
    assert any("--stale-after 30" in warning for warning in warnings)
    only([warning for warning in warnings if "--max-connections" in warning], "ulimit -Hn")


def test_everything_is_told_at_once_and_the_exit_code_is_78(place: Place) -> None:
    place.roles('reader = ["dm:/CN=x"]')
    (place.path / "host.key").chmod(0o644)
    place.sources(f'name = "gone"\nurl = "sqlite:///{place.path}/gone.sqlite"')
    done = place.run("--check-config", state_dir="/proc/rcmon", log_file="/none/log")
    assert done.returncode == 78
    errors = done.stderr.splitlines()
    assert len(errors) == 4, errors
    assert all(line.startswith("rcmon: error: ") for line in errors)
    assert "gone.sqlite" in done.stdout
    assert done.stdout.splitlines()[-1] == "the service would not start: 4 errors, 1 warning"


def test_warnings_alone_are_no_failure(place: Place) -> None:
    place.roles()
    done = place.run("--check-config")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("warning: roles file")
    assert lines[-1].endswith("as may be meant: 0 errors, 1 warning")


def test_probing_connects_to_every_source_and_the_store(place: Place) -> None:
    """A file that is no agent's, and a server that nobody runs; the store is not made for it."""
    place.sources(
        f'name = "empty"\nurl = "sqlite:///{place.path}/agent.sqlite"',
        'name = "dead"\nurl = "mysql://u@127.0.0.1:1/x"',
    )
    done = place.run("--check-config", "--probe")
    assert done.returncode == 0
    assert "warning: source empty: " in done.stdout
    assert "warning: source dead: " in done.stdout
    assert "is not there yet, it is made at the start" in done.stdout
    assert not (place.path / "state").exists()
    done = place.run("--check-config", "--probe", database="postgresql://u@127.0.0.1:1/x")
    assert done.returncode == 78
    assert done.stderr.startswith("rcmon: error: store: ")


def test_what_is_refused_on_the_way_is_a_warning(place: Place) -> None:
    """Whatever the rules of access write to the log at a start."""
    (place.path / "ca").mkdir()
    pki.add_to_directory(place.path / "ca", place.root)
    (place.path / "ca" / "deadbeef.0").write_text("no certificate")
    report = place.examine(tls_ca=str(place.path / "ca"))
    only(report.warnings, "refused", "deadbeef.0")
    assert not report.errors


def test_what_others_may_write_to_is_named(place: Place) -> None:
    (place.path / "state").mkdir()
    (place.path / "state").chmod(0o777)
    only(place.examine().warnings, "--state-dir", "chmod go-w")
    assert Path(place.path / "state").is_dir()


def test_what_belongs_to_the_demo_alone_is_named_in_production(place: Place) -> None:
    demo = make_pki(place.path / "pki")
    warnings = place.examine(
        tls_cert=str(demo.certificate("server")), tls_key=str(demo.key("server")), tls_ca=str(demo.ca)
    ).warnings
    assert len(warnings) == 2
    assert "issued by the demo's CA" in warnings[0]
    assert "trusts the demo's CA" in warnings[1]


def test_what_the_demo_does_not_use_is_named(place: Place) -> None:
    done = place.run("--check-config", "--demo", database=f"sqlite:///{place.path}/real.sqlite")
    assert done.returncode == 0, done.stderr
    for option in ("--tls-cert", "--tls-key", "--tls-ca", "--roles-file", "--sources-file"):
        assert f"warning: {option}: not used: the demo brings its own" in done.stdout
    assert "warning: --database: the demo writes its made-up grid there" in done.stdout


def test_everything_that_runs_is_examined_in_the_demo_too(place: Place) -> None:
    done = place.run("--check-config", "--demo", "--synthetic=3x2")
    assert done.returncode == 0, done.stderr
    assert "sources: 2 made up" in done.stdout


def test_web_services_are_examined_as_databases_are(place: Place) -> None:
    table = (
        '[[source]]\nname = "board"\nkind = "ssb"\nurl = "https://nowhere.invalid"\n'
        'dataset = "7"\ntoken_file = "token"\n'
    )
    (place.path / "token").write_text("hush")
    (place.path / "token").chmod(0o644)
    (place.path / "sources.toml").write_text(table)
    warnings = place.examine().warnings
    assert len(warnings) == 2
    only(warnings[:1], "source board: token_file", "can be read by others; do: chmod 600")
    only(warnings[1:], "source board: host 'nowhere.invalid' is not known")
    done = place.run("--check-config", "--probe")
    assert "warning: source board: cannot use https://nowhere.invalid: no connection: " in done.stdout
    assert "hush" not in done.stdout + done.stderr


async def test_what_a_service_says_is_told_in_numbers(place: Place) -> None:
    async def say(head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(json.dumps(cric(head, b"", ["T2_A", "T2_B"])).encode()))
        await writer.drain()
        writer.close()

    async with serving(say) as web:
        table = f'[[source]]\nname = "names"\nkind = "cric"\nurl = "{web.url}"\n'
        (place.path / "sources.toml").write_text(table)
        done = await asyncio.to_thread(place.run, "--check-config", "--probe")
    assert re.search(r"source names: answers in [0-9.]+ s \(2 sites' names\)", done.stdout), done.stdout
