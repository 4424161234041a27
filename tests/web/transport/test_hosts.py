"""The names by which the service may be asked."""

import pytest

from rcmon.web.transport.hosts import Hosts, name_of

CERTIFICATE = ("rcmon.cern.ch", "*.Grid.example")


@pytest.mark.parametrize(
    "host",
    [
        "rcmon.cern.ch",
        "RCMON.cern.ch.:5000",
        "one.grid.example",
        "alias.example.org:443",
        "deep.lab.example",
        "rcmon",
        "localhost:1",
        "page.localhost",
        "localhost.localdomain",
        "rcmon.monitoring.svc",
        "rcmon.monitoring.svc.cluster.local:5000",
        "vm.internal",
        "10.0.0.1",
        "[::1]:5000",
        "rcmon.cern.ch:",
    ],
)
def test_our_own_names(host: str) -> None:
    assert Hosts(lambda: CERTIFICATE, ["alias.example.org", "*.lab.example", "", "0.0.0.0"]).accepts(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "cern.ch",
        "evil-rcmon.cern.ch",
        "rcmon.cern.ch.evil.example",
        "two.levels.grid.example",
        "grid.example",
        "notlocalhost.example",
        "svc.example",
        "evillocal.example",
        "evil.example:5000",
        "rcmon.cern.ch:0",
        "rcmon.cern.ch:99999",
        "rcmon.cern.ch:123456",
        "rcmon.cern.ch:1:2",
        "[rcmon.cern.ch]",
        "[::1",
        "rcmon.cern.ch/",
        "r\u00e4mon",
    ],
)
def test_whatever_else_is_not_ours(host: str) -> None:
    assert not Hosts(lambda: CERTIFICATE, [""]).accepts(host)


def test_any_name_may_be_allowed() -> None:
    hosts = Hosts(lambda: (), ["*"])
    assert hosts.accepts("evil.example")
    assert not hosts.accepts("evil.example:0")


def test_names_follow_the_certificate() -> None:
    names = ("before.example",)
    hosts = Hosts(lambda: names, [])
    assert hosts.accepts("before.example")
    names = ("after.example",)
    assert hosts.accepts("after.example")
    assert not hosts.accepts("before.example")


def test_a_host_is_read() -> None:
    assert name_of("A.Example.:80") == "a.example"
