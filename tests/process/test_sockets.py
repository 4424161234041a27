"""Binding: where the service listens, and what the operator reads when it cannot."""

import errno
import logging
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tornado import netutil

from rcmon.errors import ConfigError
from rcmon.process import bind_sockets, is_answered, listening_at
from rcmon.process.sockets import address_of

# Tornado leaves the socket that it could not bind to the garbage collector.
unclosed_by_tornado = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of 127.0.0.1 where somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def families(host: str) -> set[socket.AddressFamily]:
    sockets = bind_sockets(host, 0)
    try:
        assert len({listening.getsockname()[1] for listening in sockets}) == 1
        return {listening.family for listening in sockets}
    finally:
        for listening in sockets:
            listening.close()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", {socket.AF_INET}),
        ("0.0.0.0", {socket.AF_INET}),
        ("::1", {socket.AF_INET6}),
        ("::", {socket.AF_INET6}),
        ("", {socket.AF_INET, socket.AF_INET6}),
    ],
)
def test_a_host_is_listened_at_in_its_families_on_one_port(
    host: str, expected: set[socket.AddressFamily]
) -> None:
    if socket.AF_INET6 in expected and not _has_ipv6():
        pytest.skip("no IPv6 loopback on this machine")
    assert families(host) == expected


def test_the_sockets_listen_and_the_log_says_where(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.INFO, "rcmon.process"),
        closing(bind_sockets("127.0.0.1", 0)[0]) as listening,
    ):
        address = address_of(listening)
        assert address == f"127.0.0.1:{listening.getsockname()[1]}"
        assert f"listening at {address}" in caplog.text
        with socket.create_connection(listening.getsockname()[:2], timeout=300):
            pass


def test_an_ipv6_address_is_written_in_brackets() -> None:
    if not _has_ipv6():
        pytest.skip("no IPv6 loopback on this machine")
    with closing(bind_sockets("::1", 0)[0]) as listening:
        assert address_of(listening) == f"[::1]:{listening.getsockname()[1]}"


@unclosed_by_tornado
def test_a_taken_port_is_named(taken: int) -> None:
    with pytest.raises(ConfigError, match=rf"host '127.0.0.1', port {taken}: in use .* another port"):
        bind_sockets("127.0.0.1", taken)


@pytest.mark.parametrize(
    "host", ["no-such-host.invalid", "300.1.2.3", "a..b", "x" * 70, "with\0nul", "fe80::zz"]
)
def test_a_host_that_leads_nowhere_is_named(host: str) -> None:
    with pytest.raises(ConfigError, match="no such address") as caught:
        bind_sockets(host, 5000)
    assert repr(host) in str(caught.value)
    assert "\n" not in str(caught.value)


@unclosed_by_tornado
def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(ConfigError, match=r"host '192\.0\.2\.1', port 5000: not an address of this machine"):
        bind_sockets("192.0.2.1", 5000)


@pytest.mark.parametrize("port", [-1, 65536, 70000])
def test_a_number_that_is_no_port_is_named(port: int) -> None:
    with pytest.raises(ConfigError, match=f"port {port}: .* from 1 to 65535"):
        bind_sockets("127.0.0.1", port)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(errno.EACCES, "permission denied; give a port from 1024"), (errno.ENOBUFS, "cannot listen there")],
)
def test_a_refusal_of_the_kernel_is_explained(
    monkeypatch: pytest.MonkeyPatch, number: int, expected: str
) -> None:
    """The kernel refuses root nothing, so the fault is made."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(netutil, "bind_sockets", refuse)
    with pytest.raises(ConfigError, match=f"host '127.0.0.1', port 80: {expected}"):
        bind_sockets("127.0.0.1", 80)


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_a_local_socket_goes_unless_a_successor_took_its_place(tmp_path: Path) -> None:
    path = tmp_path / "health.sock"
    assert not is_answered(path)
    with listening_at(path) as (first,):
        assert path.stat().st_mode & 0o777 == 0o600
        assert is_answered(path)
        with listening_at(path):
            first.close()
        assert not path.exists()
    with listening_at(path), listening_at(path):
        pass
    with listening_at(path) as (old,):
        old.close()
        with listening_at(path) as (_successor,):
            pass
    assert not is_answered(tmp_path / "none" / "health.sock")


def test_a_place_that_takes_no_socket_costs_the_service_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "health.sock").mkdir()
    (tmp_path / "health.sock" / "full").touch()
    with listening_at(tmp_path / "health.sock") as local:
        assert local == []
    assert "cannot listen there" in caplog.text
