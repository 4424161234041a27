"""Replicas on one PostgreSQL: one collects; where it dies, is cut off or sleeps, another one does."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.replicas import (
    ask,
    collectors,
    holder,
    kill,
    leader,
    newest,
    replica,
    signal_all,
    url_of,
)
from tests.integration.running import Service, until
from tests.integration.wire import wire
from tests.servers import Server, postgresql

RARELY = "600"
"""Seconds of an interval: whoever waits for a cycle of its own accord waits longer than these tests do."""
TRIES = 5
SHARED = ("a", "b", "c", "d")
POLLED = 'rcmon_polls_for_others_total{result="success"}'
REPORT = "/api/agents/vocms0281/report"
PUSHED = {"T2_CH_CERN": {"Merge": {"NoPendingSlot": 7, "submitted": 1}}}


@pytest.fixture
def server() -> Iterator[Server]:
    with postgresql() as running:
        yield running


@contextmanager
def pair(
    directory: Path, stack: Any, server: Server, *more: str, port: int | None = None
) -> Iterator[tuple[Service, Service]]:
    """Run two; `port`: of the way that the first one takes to the store."""
    options, pki = stack
    options = [*options, *more]
    with (
        replica(directory / "one", options, pki, url_of(server, port), "of-one") as one,
        replica(directory / "two", options, pki, url_of(server), "of-two") as two,
    ):
        yield one, two


def sources(service: Service) -> list[str]:
    """Give the names of the sources of the newest snapshot: of the replica that collected it."""
    return [source["name"] for source in service.json("/api/status")["sources"]]


def collected_since(server: Server, number: int) -> Any:
    """Wait for a snapshot newer than one that is known, and give its number."""
    return until(lambda: (found := newest(server)) > number and found, "a newer snapshot")


def leading(server: Server, *services: Service) -> tuple[Service, Service]:
    """Give the one of two that leads, and the other: on a busy machine the first one may have been late."""
    name = until(lambda: leader(server), "a leader")
    one, two = sorted(services, key=lambda service: name_of(service) != name)
    return one, two


def name_of(service: Service) -> str:
    return service.log.parent.name


def shows(service: Service, collector: Service) -> bool:
    """Tell whether a replica serves what another one, or itself, collected."""
    return sources(service) == [f"of-{name_of(collector)}"]


def test_who_is_killed_is_replaced_at_once_whatever_the_interval(
    tmp_path: Path, stack: Any, server: Server
) -> None:
    with pair(tmp_path, stack, server, "--cycle-interval", RARELY) as (one, two):
        first, second = leading(server, one, two)
        until(lambda: sources(second) == sources(first), "both to serve the same")
        assert [service.json("/api/status")["replica"] for service in (one, two)] == ["one", "two"]
        number = newest(server)
        (collector,) = collectors(first.process.pid)
        os.kill(collector, signal.SIGKILL)
        number = collected_since(server, number)
        winner, loser = leading(server, one, two)
        kill(winner)
        collected_since(server, number)
        until(lambda: shows(loser, loser), "what the other one collected")


def test_what_one_answered_is_there_through_the_other_though_it_is_gone(
    tmp_path: Path, stack: Any, server: Server
) -> None:
    """Reports and overrides are in the store before the answer, and read from there."""
    with pair(tmp_path, stack, server, "--cycle-interval", RARELY) as (one, two):
        first, second = leading(server, one, two)
        site = second.json("/api/sites?limit=1")["sites"][0]["name"]
        said = {"state": "Down", "mode": "latched", "reason": "r"}
        status, body = send(first, f"/api/sites/{site}/override", said, "-H", "If-None-Match: *")
        assert status == 201, body
        assert send(first, REPORT, PUSHED, who="agent")[0] == 204
        kill(first)
        assert second.json("/api/overrides")["overrides"] == [json.loads(body)]
        assert second.json(REPORT)["submit_report"]["document"] == PUSHED
        until(lambda: second.json("/api/status")["overrides"]["latched"] == 1, "it to be in a snapshot")
        until(lambda: leader(server) == name_of(second), "the other one to lead")


def send(service: Service, path: str, said: object, *options: str, who: str = "operator") -> tuple[int, str]:
    """Put something."""
    head = ("-X", "PUT", "-H", "Content-Type: application/json", "-d", json.dumps(said))
    return service.curl(path, *head, *options, who=who)


def test_one_that_slept_past_its_lease_writes_nothing(tmp_path: Path, stack: Any, server: Server) -> None:
    """It is stopped in the midst of whatever it does, and goes on with that when it wakes up."""
    with pair(tmp_path, stack, server) as (one, two):
        # on a machine that is so busy that the other one was late too it is tried again
        assert any(sleeps_and_leaves_it(server, *leading(server, one, two)) for _ in range(TRIES))


def sleeps_and_leaves_it(server: Server, sleeper: Service, other: Service) -> bool:
    """Let the one that leads sleep, and hold that the other goes on; False: it did not keep the lease."""
    signal_all(sleeper, signal.SIGSTOP)
    try:
        until(lambda: leader(server) == name_of(other), "the other one to lead")
        until(lambda: shows(other, other), "what the other one collected")
        term = holder(server)
        seen = newest(server)
        told = told_of(server, sleeper)
    finally:
        signal_all(sleeper, signal.SIGCONT)
    shown = []
    for _ in range(5):
        seen = collected_since(server, seen)
        shown.append(shows(other, other))
    # whoever collects tells the journal of its own source, and that the other's is gone
    more = told_of(server, sleeper) - told
    if holder(server) != term:
        return False
    assert all(shown)
    assert more == 0
    until(lambda: shows(sleeper, other), "the one that slept to serve it too")
    return True


def told_of(server: Server, service: Service) -> int:
    """Count what the journal tells of a replica's source: a poll of the other's that is late is told, too."""
    told = "SELECT count(*) FROM journal WHERE kind = 'source' AND subject = $1"
    return int(ask(server, told, f"of-{name_of(service)}")[0][0])


def test_one_that_is_cut_off_is_replaced_and_finds_its_way_back(
    tmp_path: Path, stack: Any, server: Server
) -> None:
    with wire(server.port) as line, pair(tmp_path, stack, server, port=line.port) as (one, two):
        until(lambda: leader(server), "a leader")
        line.cut()
        until(lambda: leader(server) == "two", "the other one to lead")
        until(lambda: shows(two, two), "what the other one collected")
        until(lambda: not one.json("/api/status")["store"]["up"], "the one that was cut off to notice")
        assert one.curl("/api/sites")[0] == 200
        line.mend()
        until(lambda: one.json("/api/status")["store"]["up"], "it to reach the store again")
        until(lambda: sources(one) == sources(two), "it to serve what is collected now")
        kill(two)
        until(lambda: leader(server) == "one", "it to lead again")
        until(lambda: shows(one, one), "what it collected")


def test_polls_are_shared_and_whoever_is_left_does_all_of_them(
    tmp_path: Path, stack: Any, server: Server
) -> None:
    """No source is ever said to fail, whoever is stopped or killed while it polls."""
    file = tmp_path / "sources.toml"
    file.write_text("".join(file.read_text().replace("good", name) for name in SHARED))
    with pair(tmp_path, stack, server) as (one, two):
        shared = polls_are_shared(0, one, two)
        first, second = leading(server, one, two)
        all_are_up_for_a_while(server, first)
        signal_all(second, signal.SIGSTOP)
        all_are_up_for_a_while(server, first)
        signal_all(second, signal.SIGCONT)
        shared = polls_are_shared(shared, one, two)
        first, second = leading(server, one, two)
        kill(second)
        all_are_up_for_a_while(server, first)


def polls_are_shared(before: float, *services: Service) -> float:
    """Wait until more polls were done for others, and give how many: whoever collects may change."""
    return until(lambda: (now := sum(map(polled_for_others, services))) > before and now, "shared polls")


def all_are_up_for_a_while(server: Server, service: Service) -> None:
    """Hold that the sources do not fail, as the next snapshots have it, and come anew in the end."""
    last, seen = max(read(service).values()), newest(server)
    for _ in range(6):
        seen = collected_since(server, seen)
        told = service.json("/api/status")["sources"]
        assert {source["name"]: source["error"] for source in told} == dict.fromkeys(SHARED)
    until(lambda: min(read(service).values()) > last, "all to be read anew")


def read(service: Service) -> dict[str, str]:
    """Give when each source was last read."""
    return {source["name"]: source["last_success"] for source in service.json("/api/status")["sources"]}


def polled_for_others(service: Service) -> float:
    """Count the polls that a replica did for the one that collects."""
    text = service.curl("/api/metrics?part=service")[1]
    (line,) = [one for one in text.splitlines() if one.startswith(POLLED)]
    return float(line.split()[-1])
