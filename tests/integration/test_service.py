"""The whole service, as its users run it."""

import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from rcmon.demo.demo import NOW_AND_THEN
from tests.faked import faked
from tests.integration.running import PROJECT, children, environment, running, until
from tests.servers import need


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """Run the demo with two web workers."""
    options = ["--demo", "--workers", "2"]
    options += ["--cycle-interval", "10"]  # no cycle is late, however busy the machine
    with running(tmp_path_factory.mktemp("demo"), *options) as service:
        until(service.hears_all, "all sources")
        yield service


class TestTheDemo:
    def test_answers_the_reader(self, service):
        def only_made_up_trouble():
            status = service.json("/api/status")
            names = {cause["name"] for cause in status["causes"] if cause["what"] != NOW_AND_THEN}
            return names == {"agent_down", "component_down"} and status

        status = until(only_made_up_trouble, "a status with the demo's own trouble alone")
        assert "cmsgwms-submit7/RucioInjector" in [cause["what"] for cause in status["causes"]]
        assert [cause["what"] for cause in status["causes"] if cause["name"] == "agent_down"] == [
            "wmagent-silent"
        ]
        assert status["status"] == "unhealthy"
        assert Counter(source["kind"] for source in status["sources"]) == {
            "wmagent": 11,
            "condor": 4,
            "ssb": 2,
            "cric": 2,
            "wmstats": 1,
        }
        assert {source["name"] for source in status["sources"] if not source["up"]} <= {NOW_AND_THEN}
        assert status["workers"] == 2

    def test_prints_a_line_that_works(self, service):
        line = until(lambda: re.search(r"^curl .*$", service.log.read_text(), re.MULTILINE), "the curl line")
        done = subprocess.run(line[0], shell=True, capture_output=True, text=True, check=True, timeout=300)
        assert '"name":"rcmon"' in done.stdout

    @pytest.mark.parametrize(
        "path", ["", "/", "/api", "/api/status", "/api/metrics", "/api/sites", "/api/findings"]
    )
    def test_refuses_the_stranger_and_who_shows_nothing(self, service, path):
        status, body = service.curl(path, who="stranger")
        assert status == 403
        assert "CN=stranger" in body
        assert "reader" in body
        assert service.curl(path, who=None)[0] == 0

    def test_tells_everybody_who_they_are(self, service):
        assert service.json("/api/whoami", who="stranger")["roles"] == []
        assert service.json("/api/whoami", who="admin")["roles"] == ["admin", "agent", "operator", "reader"]

    def test_shows_a_grid_of_about_145_sites_and_seven_task_types(self, service):
        sites = service.json("/api/sites")["sites"]
        assert 110 <= sum(not site["name"].startswith("T3_XX_") for site in sites) <= 130
        assert 20 <= sum(site["name"].startswith("T3_XX_") for site in sites) <= 30
        tasks = {task for site in sites for agent in site["agents"].values() for task in agent["tasks"]}
        assert tasks == {"Production", "Processing", "Merge", "Cleanup", "Harvesting", "LogCollect", "Skim"}
        assert sum(site["running_jobs"] + site["pending_jobs"] for site in sites) > 3000

    def test_moves(self, service):
        first = service.json("/api/agents")
        until(lambda: service.json("/api/agents")["agents"] != first["agents"], "the grid to move")

    def test_writes_nothing_that_looks_like_a_fault(self, service):
        text = service.log.read_text()
        assert "Traceback" not in text
        assert " error " not in text
        assert "alembic" not in text


@pytest.mark.parametrize("workers", ["1", "2"])
def test_kill_of_the_parent_leaves_no_orphan_and_the_port_free(tmp_path, workers):
    with running(tmp_path, "--demo", "--workers", workers) as service:
        left = children(service.process.pid)
        service.stop(signal.SIGKILL)
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), "the children to leave")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", service.port))


@pytest.mark.parametrize(("workers", "number"), [("1", signal.SIGTERM), ("2", signal.SIGINT)])
def test_term_and_int_end_it_with_0_and_nothing_noisy(tmp_path, workers, number):
    with running(tmp_path, "--demo", "--workers", workers) as service:
        left = children(service.process.pid)
        assert service.stop(number) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in left)
        assert "Traceback" not in service.log.read_text()


def refused(*options, directory):
    done = subprocess.run(
        [sys.executable, str(PROJECT / "run.py"), *options],
        cwd=directory, env=environment(), capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 78, done
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_without_certificates_it_refuses_to_start(tmp_path):
    line = refused(directory=tmp_path)
    assert "--tls-cert" in line
    assert "--demo" in line


def test_a_port_in_use_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused("--demo", "--host", "127.0.0.1", "--port", str(port), directory=tmp_path)
    assert str(port) in line
    assert "in use" in line


def test_check_config_says_what_is_right_and_what_is_not(tmp_path, stack):
    options, _ = stack
    options += ["--port", "0"]  # whoever has the default one just now
    command = [sys.executable, str(PROJECT / "run.py"), *options, "--check-config"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.splitlines()[-1].startswith("the service would start")
    (tmp_path / "roles.toml").write_text('[roles]\nreader = ["dm:/CN=x"]\n')
    assert "dm:/CN=x" in refused(*options, "--check-config", directory=tmp_path)
    (tmp_path / "roles.toml").write_text("[roles]\n")
    (tmp_path / "sources.toml").write_text('[[source]]\nname = "x"\nkind = "wmagnet"\nurl = "sqlite:///x"\n')
    assert "wmagnet" in refused(*options, "--check-config", directory=tmp_path)


def test_a_source_that_hangs_or_dies_costs_the_others_nothing(tmp_path, stack):
    options, pki = stack
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with (tmp_path / "sources.toml").open("a") as sources:
            for name, url in (
                ("hangs", f"mysql://u@127.0.0.1:{port}/x"),
                ("dead", "postgresql://u@127.0.0.1:1/x"),
            ):
                sources.write(
                    f'[[source]]\nname = "{name}"\nkind = "wmagent"\nurl = "{url}"\ntimeout = 0.5\n'
                )
        with running(tmp_path, *options, pki=pki) as service:
            first = until(lambda: service.json("/api/status")["snapshot"], "a snapshot")["id"]
            # the worker that is asked may not have its first snapshot yet
            status = until(
                lambda: ((one := service.json("/api/status"))["snapshot"] or {"id": 0})["id"] > first and one,
                "another cycle",
            )
            up = {source["name"]: source["up"] for source in status["sources"]}
            assert up == {"good": True, "hangs": False, "dead": False}
            assert {("source_down", "hangs"), ("source_down", "dead")} <= {
                (cause["name"], cause["what"]) for cause in status["causes"]
            }
            assert "sources_down" not in {cause["name"] for cause in status["causes"]}
            assert any("hangs" in reason for reason in status["reasons"])
            assert list(service.json("/api/agents/good/thresholds"))
            assert service.curl("/api/agents/hangs")[0] == 404
            assert 'rcmon_source_up{source="good",kind="wmagent"} 1' in service.curl("/api/metrics")[1]
            assert "Traceback" not in service.log.read_text()


def test_a_restart_serves_the_last_snapshot_at_once(tmp_path, stack):
    options, pki = stack
    with running(tmp_path, *options, pki=pki) as service:
        # the first snapshot may be older than the first poll's end
        sites = until(lambda: service.json("/api/sites")["count"], "sites")
    database = Path(re.search(r"sqlite:///(\S+)\"", (tmp_path / "sources.toml").read_text())[1])
    database.rename(database.with_suffix(".away"))
    with running(tmp_path, *options, pki=pki) as service:
        assert service.json("/api/sites")["count"] == sites
        status = until(
            lambda: (one := service.json("/api/status"))["sources"][0]["error"] and one, "the failure"
        )
        assert status["status"] == "unhealthy"
        assert "sources_down" in {cause["name"] for cause in status["causes"]}
        assert status["sources"][0]["age"] > 0
        assert not database.exists()


def everywhere(service, status):
    """Tell whether every worker answers with a status; a few connections reach them all."""
    return all(service.curl("/api/status")[0] == status for _ in range(8))


def test_roles_and_sources_are_taken_up_while_it_runs(tmp_path, stack):
    options, pki = stack
    roles, sources = tmp_path / "roles.toml", tmp_path / "sources.toml"
    with running(tmp_path, *options, pki=pki) as service:
        before = roles.read_text()
        roles.write_text("[roles]\n")
        until(lambda: everywhere(service, 403), "the role to go")
        roles.write_text(before)
        until(lambda: everywhere(service, 200), "the role to come back")
        roles.write_text("broken")
        service.process.send_signal(signal.SIGHUP)
        until(lambda: "roles file" in service.log.read_text(), "the refusal in the log")
        assert everywhere(service, 200)
        sources.write_text(sources.read_text().replace('"good"', '"better"'))
        until(lambda: service.curl("/api/agents/better")[0] == 200, "the new source")
        until(lambda: service.curl("/api/agents/good")[0] == 404, "the old source to go")
        metrics = service.curl("/api/metrics")[1]
        assert re.search(r'rcmon_config_reloads_total\{what="roles",result="failure"\} [1-9]', metrics)
        assert re.search(r'rcmon_config_reloads_total\{what="sources",result="success"\} 1', metrics)


def told(service, name, what, value):
    """Tell whether status (with a cause of that name) and metrics say that a reload is refused, or not."""
    status, text = service.json("/api/status"), service.curl("/api/metrics")[1]
    named = any(cause["name"] == name for cause in status["causes"])
    gauge = f'rcmon_config_last_reload_successful{{what="{what}"}} {value}'
    return named is (value == 0) and gauge in text


def test_what_is_refused_is_told_while_it_lasts_and_taken_up_when_it_is_right(tmp_path, stack):
    """Without a HUP: nobody has to know that a file waits for another one."""
    options, pki = stack
    roles, sources, password = (tmp_path / name for name in ("roles.toml", "sources.toml", "password"))
    good_roles, good_sources = roles.read_text(), sources.read_text()
    with running(tmp_path, *options, pki=pki) as service:
        until(lambda: told(service, "roles_file_trouble", "roles", 1), "roles that are good")
        roles.write_text(good_roles[: len(good_roles) // 2])
        until(lambda: told(service, "roles_file_trouble", "roles", 0), "roles that are refused")
        sources.write_text(good_sources.replace('"good"', '"better"') + 'password_file = "password"\n')
        until(lambda: told(service, "sources_file_trouble", "sources", 0), "sources that are refused")
        assert service.curl("/api/agents/good")[0] == 200
        assert service.log.read_text().count("sources refused") == 1
        service.process.send_signal(signal.SIGHUP)
        until(lambda: service.log.read_text().count("sources refused") == 2, "the answer to whoever asks")
        password.write_text("secret\n")
        until(lambda: told(service, "sources_file_trouble", "sources", 1), "sources that are good again")
        until(lambda: [each["name"] for each in service.json("/api/status")["sources"]] == ["better"], "it")
        assert told(service, "roles_file_trouble", "roles", 0)
        roles.write_text(good_roles)
        until(lambda: told(service, "roles_file_trouble", "roles", 1), "roles that are good again")
        assert "roles: what was refused is good now" in service.log.read_text()


@pytest.mark.parametrize("days", [400, -400], ids=["forward", "back"])
def test_a_clock_that_jumps_and_is_set_right_again_locks_nobody_out(tmp_path, stack, monkeypatch, days):
    """Of the whole service, its clock set: who is refused meanwhile is let in right afterwards."""
    options, pki = stack
    need("cc")
    clock = tmp_path / "clock"
    clock.write_text("+0d\n")
    for name, value in faked(clock).items():
        monkeypatch.setenv(name, value)
    with running(tmp_path, *options, pki=pki) as service:
        monkeypatch.undo()  # curl keeps the right time
        assert everywhere(service, 200)
        for _ in range(2):
            clock.write_text(f"{days:+d}d\n")
            until(lambda: everywhere(service, 0), "the certificate to be out of its time")
            clock.write_text("+0d\n")
            until(lambda: everywhere(service, 200), "everybody to be let in again")
        assert "Traceback" not in service.log.read_text()
