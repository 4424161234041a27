import asyncio
import os
import shlex
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from rcmon.access.identity import identify
from rcmon.access.roles import Role, RoleTable
from rcmon.checking.start import store_url
from rcmon.config import load
from rcmon.demo import Demo, Simulation, keep_moving, prepare
from rcmon.demo.agents import AGENTS
from rcmon.demo.databases import database
from rcmon.errors import ConfigError


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    made = prepare(tmp_path / "state")
    yield made
    os.close(made.lock)


def test_everything_lies_under_the_state_directory(demo: Demo, tmp_path: Path) -> None:
    for value in demo.overrides().values():
        path = Path(value)
        assert path.is_absolute()
        assert path.is_relative_to(tmp_path / "state" / "demo")
        assert path.exists()


def test_the_store_lies_with_the_demo_and_never_where_production_keeps_its_own(tmp_path: Path) -> None:
    made = prepare(tmp_path)
    config = load(["--demo", "--state-dir", str(tmp_path)], {}, "1.2.3").override("demo", **made.overrides())
    assert store_url(config).database == str(tmp_path / "demo" / "rcmon.sqlite")
    os.close(made.lock)


def test_each_client_gets_the_role_of_its_name_and_the_stranger_none(demo: Demo) -> None:
    table = RoleTable.load(demo.roles_file)
    for name in ("reader", "agent", "operator", "admin", "stranger"):
        chain = [
            ssl.PEM_cert_to_DER_cert(path.read_text()) for path in (demo.pki.certificate(name), demo.pki.ca)
        ]
        roles = table.held_by(identify(chain)).roles
        assert (Role(name) in roles) if name != "stranger" else not roles
        assert (Role.ADMIN in roles) is (name == "admin")


def test_roles_are_bound_to_the_demos_ca(demo: Demo) -> None:
    table = RoleTable.load(demo.roles_file)
    assert len(table) == 4
    for grants in table.grants.values():
        assert {str(grant.issuer) for grant in grants} == {"/DC=org/DC=rcmon/OU=Demo/CN=rcmon demo CA"}


def test_files_are_their_owners(demo: Demo, tmp_path: Path) -> None:
    assert demo.roles_file.stat().st_mode & 0o777 == 0o600
    for directory in (tmp_path / "state", demo.directory, demo.pki.directory):
        assert directory.stat().st_mode & 0o777 == 0o700


def test_a_second_demo_in_the_same_place_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    first = prepare(tmp_path)
    with pytest.raises(ConfigError, match=r"another demo runs in .*; stop it, or name another --state-dir"):
        prepare(tmp_path)
    prepared_elsewhere = prepare(tmp_path / "elsewhere")
    os.close(first.lock)
    again = prepare(tmp_path)
    os.close(again.lock)
    os.close(prepared_elsewhere.lock)


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=str(tmp_path / "file" / "demo")):
        prepare(tmp_path / "file")


def test_build_makes_the_databases_that_the_sources_name(demo: Demo) -> None:
    demo.build()
    text = demo.sources_file.read_text()
    for agent in AGENTS:
        assert database(demo.directory, agent).stat().st_size > 1_000_000
        assert f'"sqlite:///{database(demo.directory, agent)}"' in text


def test_synthetic_demo_has_sources_and_no_databases(tmp_path: Path) -> None:
    demo = prepare(tmp_path, "20x2")
    demo.build()
    assert not list(demo.directory.glob("*.sqlite"))
    assert demo.simulation() is None
    assert [source.name for source in demo.synthetic_sources()] == ["agent01", "agent02"]
    os.close(demo.lock)


class Status(RequestHandler):
    def get(self) -> None:
        certificate = self.request.get_ssl_certificate()
        assert isinstance(certificate, dict)
        self.write(str(certificate["subject"][-1]))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "127.0.0.1", "::1", "localhost", "127.0.0.2"])
async def test_curl_line_reaches_a_server_that_listens_on_that_host(demo: Demo, host: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=demo.pki.ca)
    context.load_cert_chain(demo.pki.certificate("server"), demo.pki.key("server"))
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        sockets = bind_sockets(0, host)
    except OSError as error:
        pytest.skip(f"cannot listen on {host}: {error}")
    server = HTTPServer(Application([("/wm_resource_monitor/api/status", Status)]), ssl_options=context)
    server.add_sockets(sockets)
    try:
        for client in ("reader", "stranger"):
            line = demo.curl_line(host, sockets[0].getsockname()[1], client)
            curl = await asyncio.create_subprocess_exec(
                *shlex.split(line), "--silent", "--show-error", "--max-time", "60",
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            said, _ = await curl.communicate()
            assert said.decode() == f"(('commonName', '{client}'),)"
    finally:
        server.stop()


async def test_keep_moving_runs_until_its_process_stops(demo: Demo) -> None:
    demo.build()
    simulation = demo.simulation()
    assert simulation is not None
    assert demo.upstream is not None
    stop, ready = asyncio.Event(), asyncio.Event()
    moving = asyncio.create_task(keep_moving(simulation, demo.upstream, stop, ready.set))
    await ready.wait()
    path = database(demo.directory, AGENTS[0])
    log = path.with_name(path.name + "-wal")
    await asyncio.to_thread(wait_for, log)
    assert not moving.done()
    stop.set()
    await moving
    assert not log.exists(), "the databases were not closed"


async def test_keep_moving_tells_of_an_error_that_ended_it(demo: Demo) -> None:
    class Broken(Simulation):
        def step(self, now: float) -> None:
            raise ZeroDivisionError(now)

    assert demo.upstream is not None
    with pytest.raises(ZeroDivisionError):
        await keep_moving(Broken(demo.directory, "test"), demo.upstream, asyncio.Event(), lambda: None)


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.05)
