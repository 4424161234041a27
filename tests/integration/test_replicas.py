"""Replicas on one PostgreSQL: one collects; where it dies, is cut off or sleeps, another one does."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.replicas import ask, collectors, kill, leader, newest, replica, signal_all, url_of
from tests.integration.running import Service, until
from tests.integration.wire import wire
from tests.servers import Server, postgresql

RARELY = "600"
"""Seconds of an interval: whoever waits for a cycle of its own accord waits longer than these tests do."""
REPORT = "/api/agents/vocms0281/report"
PUSHED = {"T2_CH_CERN": {"Merge": {"NoPendingSlot": 7, "submitted": 1}}}


@pytest.fixture
def server() -> Iterator[Server]:
    with postgresql() as running:
        yield running


def each(options: list[str], interval: str) -> list[str]:
    return [*options, "--cycle-interval", interval]


def sources(service: Service) -> list[str]:
    """Give the names of the sources of the newest snapshot: of the replica that collected it."""
    return [source["name"] for source in service.json("/api/status")["sources"]]


def collected_since(server: Server, number: int) -> Any:
    """Wait for a snapshot newer than one that is known, and give its number."""
    return until(lambda: (found := newest(server)) > number and found, "a newer snapshot")


def test_who_is_killed_is_replaced_at_once_whatever_the_interval(
    tmp_path: Path, stack: Any, server: Server
) -> None:
    options, pki = stack
    options = each(options, RARELY)
    one_at, two_at = tmp_path / "one", tmp_path / "two"
    with replica(one_at, options, pki, url_of(server), "of-one") as one:
        before = newest(server)
        with replica(two_at, options, pki, url_of(server), "of-two") as two:
            assert leader(server) == "one"
            assert sources(two) == ["of-one"]

            (collector,) = collectors(one.process.pid)
            os.kill(collector, signal.SIGKILL)
            number = collected_since(server, before)
            until(lambda: leader(server), "a leader")

            winner, loser = (one, two) if leader(server) == "one" else (two, one)
            kill(winner)
            collected_since(server, number)
            survivor = "of-one" if loser is one else "of-two"
            until(lambda: sources(loser) == [survivor], "what the other one collected")


def test_what_one_answered_is_there_through_the_other_though_it_is_gone(
    tmp_path: Path, stack: Any, server: Server
) -> None:
    """Reports and overrides are in the store before the answer, and read from there."""
    options, pki = stack
    options = each(options, RARELY)
    with (
        replica(tmp_path / "one", options, pki, url_of(server), "of-one") as one,
        replica(tmp_path / "two", options, pki, url_of(server), "of-two") as two,
    ):
        assert leader(server) == "one"
        site = two.json("/api/sites?limit=1")["sites"][0]["name"]
        said = {"state": "Down", "mode": "latched", "reason": "r"}
        status, body = send(one, f"/api/sites/{site}/override", said, "-H", "If-None-Match: *")
        assert status == 201, body
        assert send(one, REPORT, PUSHED, who="agent")[0] == 204
        kill(one)
        assert two.json("/api/overrides")["overrides"] == [json.loads(body)]
        assert two.json(REPORT)["submit_report"]["document"] == PUSHED
        until(lambda: two.json("/api/status")["overrides"]["latched"] == 1, "it to be in a snapshot")
        assert leader(server) == "two"


def send(service: Service, path: str, said: object, *options: str, who: str = "operator") -> tuple[int, str]:
    """Put something."""
    head = ("-X", "PUT", "-H", "Content-Type: application/json", "-d", json.dumps(said))
    return service.curl(path, *head, *options, who=who)


def test_one_that_slept_past_its_lease_writes_nothing(tmp_path: Path, stack: Any, server: Server) -> None:
    """It is stopped in the midst of whatever it does, and goes on with that when it wakes up."""
    options, pki = stack
    with (
        replica(tmp_path / "one", options, pki, url_of(server), "of-one") as one,
        replica(tmp_path / "two", options, pki, url_of(server), "of-two") as two,
    ):
        assert leader(server) == "one"
        signal_all(one, signal.SIGSTOP)
        try:
            until(lambda: leader(server) == "two", "the other one to lead")
            until(lambda: sources(two) == ["of-two"], "what the other one collected")
            seen = newest(server)
            told = ask(server, "SELECT count(*) FROM journal")[0][0]
        finally:
            signal_all(one, signal.SIGCONT)
        for _ in range(5):
            seen = collected_since(server, seen)
            assert sources(two) == ["of-two"]
        # whoever collects tells the journal of its own sources, and that the other's are gone
        assert ask(server, "SELECT count(*) FROM journal")[0][0] == told
        until(lambda: sources(one) == ["of-two"], "the one that slept to serve it too")
        assert leader(server) == "two"


def test_one_that_is_cut_off_is_replaced_and_finds_its_way_back(
    tmp_path: Path, stack: Any, server: Server
) -> None:
    options, pki = stack
    with (
        wire(server.port) as line,
        replica(tmp_path / "one", options, pki, url_of(server, line.port), "of-one") as one,
        replica(tmp_path / "two", options, pki, url_of(server), "of-two") as two,
    ):
        assert leader(server) == "one"
        line.cut()
        until(lambda: leader(server) == "two", "the other one to lead")
        until(lambda: sources(two) == ["of-two"], "what the other one collected")
        until(lambda: not one.json("/api/status")["store"]["up"], "the one that was cut off to notice")
        assert one.curl("/api/sites")[0] == 200
        assert sources(one) == ["of-one"]
        line.mend()
        until(lambda: one.json("/api/status")["store"]["up"], "it to reach the store again")
        until(lambda: sources(one) == ["of-two"], "it to serve what the other one collected")
        assert leader(server) == "two"
        kill(two)
        until(lambda: leader(server) == "one", "it to lead again")
        until(lambda: sources(one) == ["of-one"], "what it collected")
