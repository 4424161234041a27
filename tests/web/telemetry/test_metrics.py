"""The exposition: valid in both formats, whole in both codings, its own part exact over all processes."""

import asyncio
import gzip
from asyncio.subprocess import PIPE, STDOUT

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families
from tornado.httpclient import HTTPResponse

from rcmon.access.authority.crl import CrlStatus
from rcmon.exposition.formats import MEDIA_TYPES, unit_of
from rcmon.telemetry import own
from rcmon.telemetry.tally import Tally
from rcmon.web.about import PYTHON_VERSION
from rcmon.web.telemetry.told import FAMILIES
from rcmon.web.transport.request_count import RequestCount
from tests.web.grid import NOW, make_snapshot
from tests.web.serving import PROCESSES, Serving
from tests.web.tools import tool

ODD = '/ca/"odd\\name\n.r0'
OPENMETRICS = "application/openmetrics-text;version=1.0.0"


def families(answer: HTTPResponse) -> dict[str, Metric]:
    text = answer.body.decode()
    if "openmetrics" in answer.headers["Content-Type"]:
        assert text.endswith("# EOF\n")
        read = list(openmetrics_families(text))
    else:
        assert "# EOF" not in text
        read = list(text_families(text))
    assert len({family.name for family in read}) == len(read)
    return {family.name: family for family in read}


def value(read: dict[str, Metric], name: str, **labels: str) -> float:
    samples = [sample for family in read.values() for sample in family.samples]
    (found,) = [sample for sample in samples if sample.name == name and sample.labels == labels]
    return float(found.value)


def busy(service: Serving) -> None:
    """Count something in every family."""
    requests = RequestCount(service.tally)
    requests.answered("/api/status", "GET", 200, 0.002)
    requests.answered("/api/status", "GET", 200, 0.3)
    service.tally.count(own.SHORT_WAY_FALLBACKS, "/api/status", "error")
    service.tally.count(own.HANDSHAKES_FAILED, "expired")
    service.tally.count(own.DECISIONS, "reader", "denied")
    other = Tally(service.layout, service.scoreboard.slot(1).cells)
    RequestCount(other).answered("/api/status", "GET", 200, 20.0)
    for tally in (service.tally, other):
        tally.change(own.CONNECTIONS, 1)
        tally.count(own.CONNECTIONS_ACCEPTED)
    service.tally.set(own.RELOAD_SUCCEEDED, 1.0, "roles")
    service.tally.set(own.RELOAD_SUCCESS_TIME, NOW, "roles")
    service.scoreboard.slot(1).count_restart()
    service.scoreboard.slot(2).say("collector", "store", "disk is full")
    for index in range(len(PROCESSES)):
        service.scoreboard.slot(index).record(
            cpu_seconds=1.5,
            resident_memory_bytes=40_000_000,
            open_fds=20,
            virtual_memory_bytes=90_000_000,
            max_fds=1024,
        )
    service.trust.lists = (
        CrlStatus("/ca/1234.r0", "/C=CH/CN=CA", NOW - 60, NOW + 60, 1, 20, None),
        CrlStatus(ODD, "/C=CH/CN=Odd", NOW - 90, None, None, 0, None),
        CrlStatus("/ca/5678.r0", None, None, None, None, None, "cannot be read"),
    )


@pytest.mark.parametrize("accept", ["text/plain", OPENMETRICS])
async def test_both_formats_are_valid_and_hold_the_same(service: Serving, accept: str) -> None:
    busy(service)
    answer = await service.ask("/api/metrics", Accept=accept)
    form = "openmetrics" if accept == OPENMETRICS else "text"
    assert answer.headers["Content-Type"] == MEDIA_TYPES[form]  # type: ignore[index]
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"
    read = families(answer)
    assert read["rcmon_site_state"].type == "gauge"  # of the snapshot
    for family in FAMILIES:
        name = family.name if form == "text" else family.name.removesuffix("_info")
        name = name.removesuffix("_total")
        kind = "gauge" if family.kind == "info" and form == "text" else family.kind
        assert read[name].type == kind, family.name
        assert read[name].documentation == family.help
        if form == "openmetrics":
            assert read[name].unit == unit_of(family.name)
        labels = {label for sample in read[name].samples for label in sample.labels}
        assert labels - {"le"} == set(family.labels)


async def test_promtool_finds_nothing(service: Serving) -> None:
    busy(service)
    answer = await service.ask("/api/metrics")
    check = await asyncio.create_subprocess_exec(
        tool("promtool"), "check", "metrics", stdin=PIPE, stdout=PIPE, stderr=STDOUT
    )
    output, _ = await check.communicate(answer.body)
    assert (check.returncode, output) == (0, b"")


async def test_what_is_counted_is_summed_over_processes(service: Serving) -> None:
    busy(service)
    read = families(await service.ask("/api/metrics"))
    assert value(read, "rcmon_http_requests_total", route="/api/status", method="GET", code="200") == 3
    assert value(read, "rcmon_http_connections") == 2 + 1  # of this scrape
    assert value(read, "rcmon_http_connections_accepted_total") == 2 + 1
    assert value(read, "rcmon_tls_handshake_failures_total", reason="expired") == 1
    assert value(read, "rcmon_tls_handshake_failures_total", reason="revoked") == 0
    assert value(read, "rcmon_authorization_decisions_total", role="reader", outcome="denied") == 1
    assert value(read, "rcmon_process_restarts_total", process="web-1") == 1
    assert value(read, "rcmon_process_up", process="collector") == 1
    assert value(read, "rcmon_process_cpu_seconds_total") == 4.5
    assert value(read, "rcmon_process_resident_memory_bytes") == 120_000_000
    assert value(read, "rcmon_process_open_fds") == 60
    assert value(read, "process_cpu_seconds_total", process="web-1") == 1.5
    assert value(read, "process_resident_memory_bytes", process="web-0") == 40_000_000
    assert value(read, "process_virtual_memory_bytes", process="collector") == 90_000_000
    assert value(read, "process_open_fds", process="collector") == 20
    assert value(read, "process_max_fds", process="web-1") == 1024
    started = value(read, "process_start_time_seconds", process="web-0")
    assert started == service.scoreboard.slot(0).started
    version = service.about.version
    assert value(read, "rcmon_build_info", version=version, python_version=PYTHON_VERSION) == 1
    assert value(read, "rcmon_start_time_seconds") == service.scoreboard.started
    assert value(read, "rcmon_store_up") == 0  # the collector cannot write it
    assert service.board.current is not None
    assert value(read, "rcmon_snapshot_id") == service.board.current.number


async def test_a_label_may_hold_anything(service: Serving) -> None:
    busy(service)
    for accept in ("text/plain", OPENMETRICS):
        read = families(await service.ask("/api/metrics", Accept=accept))
        samples = read["rcmon_tls_crl_this_update_timestamp_seconds"].samples
        assert {sample.labels["file"]: sample.value for sample in samples} == {
            "/ca/1234.r0": NOW - 60,
            ODD: NOW - 90,
        }


async def test_the_histogram_is_cumulative(service: Serving) -> None:
    busy(service)
    read = families(await service.ask("/api/metrics", Accept=OPENMETRICS))
    name, labels = "rcmon_http_request_duration_seconds", {"route": "/api/status"}
    samples = read[name].samples
    buckets = [sample.value for sample in samples if sample.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    by_bound = {sample.labels["le"]: sample.value for sample in samples if sample.name.endswith("_bucket")}
    assert (by_bound["0.001"], by_bound["0.0025"], by_bound["0.5"], by_bound["10.0"]) == (0, 1, 2, 2)
    assert by_bound["+Inf"] == 3
    sums = {sample.name: sample.value for sample in samples if sample.labels == labels}
    assert sums == {f"{name}_count": 3, f"{name}_sum": pytest.approx(20.302)}


async def test_a_dead_process_is_down_and_what_it_counted_stays(service: Serving) -> None:
    busy(service)
    service.scoreboard.slot(1).vacate(2.5)
    read = families(await service.ask("/api/metrics"))
    assert value(read, "rcmon_process_up", process="web-1") == 0
    assert value(read, "rcmon_http_requests_total", route="/api/status", method="GET", code="200") == 3
    assert value(read, "rcmon_process_cpu_seconds_total") == 5.5
    seen = {sample.labels["process"] for sample in read["process_resident_memory_bytes"].samples}
    assert seen == {"web-0", "collector"}


async def test_what_is_not_known_has_no_sample(service: Serving) -> None:
    service.trust.not_after = None
    read = families(await service.ask("/api/metrics"))
    assert "rcmon_tls_certificate_not_after_timestamp_seconds" not in read
    assert "rcmon_tls_crl_this_update_timestamp_seconds" not in read
    assert "rcmon_process_resident_memory_bytes" not in read


async def test_gzip_holds_the_same_families(service: Serving) -> None:
    """The snapshot's deflated bytes and the service's own part make one gzip member."""
    for accept in ("text/plain", OPENMETRICS):
        plain = await service.ask("/api/metrics", Accept=accept)
        packed = await service.ask("/api/metrics", Accept=accept, Accept_Encoding="gzip")
        assert packed.headers["Content-Encoding"] == "gzip"
        whole = gzip.decompress(packed.body)
        start = b"# HELP rcmon_build_info" if accept == "text/plain" else b"# TYPE rcmon_build info"
        assert whole.partition(start)[0] == plain.body.partition(start)[0]
        assert start in whole
        assert plain.headers["Etag"] != packed.headers["Etag"]


async def test_a_scrape_changes_nothing_but_the_count_of_requests(service: Serving) -> None:
    counted = tuple(
        f"rcmon_{name}" for name in ("http_", "short_way_", "authorization_decisions_", "process_")
    )
    lines = [
        [line for line in (await service.ask("/api/metrics")).body.splitlines() if not counts(line, counted)]
        for _ in range(3)
    ]
    assert lines[0] == lines[1] == lines[2]


def counts(line: bytes, families: tuple[str, ...]) -> bool:
    """Tell whether a line belongs to one of the families."""
    return line.decode().removeprefix("# HELP ").removeprefix("# TYPE ").startswith(families)


async def test_a_newer_snapshot_is_served_at_once(service: Serving) -> None:
    """What is kept for a tenth of a second must not outlive its snapshot."""
    first = await service.ask("/api/metrics")
    await service.publish(make_snapshot(started=NOW + 48, seed=9))
    second = await service.ask("/api/metrics")
    assert value(families(first), "rcmon_cycle_start_timestamp_seconds") == NOW - 12
    assert value(families(second), "rcmon_cycle_start_timestamp_seconds") == NOW + 48


async def test_before_the_first_snapshot_there_is_the_services_own_part(empty_service: Serving) -> None:
    for accept in ("text/plain", OPENMETRICS):
        read = families(await empty_service.ask("/api/metrics", Accept=accept))
        assert value(read, "rcmon_store_up") == 1
        assert "rcmon_snapshot_id" not in read
        assert "rcmon_site_state" not in read


async def test_the_exposition_asked_for_by_prometheus(service: Serving) -> None:
    accept = f"{OPENMETRICS},application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5"
    answer = await service.ask("/api/metrics", Accept=accept)
    assert answer.headers["Content-Type"] == MEDIA_TYPES["openmetrics"]
    for odd in ("application/openmetrics-text;version=abc", "application/json", "q=;;,", "\xff"):
        answer = await service.ask("/api/metrics", Accept=odd)
        assert (answer.code, answer.headers["Content-Type"]) == (200, MEDIA_TYPES["text"])


def test_the_table_of_families() -> None:
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    for family in FAMILIES:
        assert family.name.startswith(("rcmon_", "process_"))
        assert family.name.endswith("_total") == (family.kind == "counter")
        assert family.help.endswith(".")
        assert "\n" not in family.help


async def test_status_and_troubles(service: Serving) -> None:
    service.scoreboard.slot(2).say("collector", "store", "disk is full")
    read = families(await service.ask("/api/metrics"))
    assert value(read, "rcmon_status", status="degraded") == 1
    assert value(read, "rcmon_status", status="healthy") == 0
    assert value(read, "rcmon_status_reasons", reason="store_trouble", level="degraded") == 1
    assert value(read, "rcmon_status_reasons", reason="source_down", level="degraded") == 1
    assert value(read, "rcmon_status_reasons", reason="agent_down", level="unhealthy") == 0
    assert value(read, "rcmon_trouble", process="collector", what="store") == 1
    service.scoreboard.slot(2).say("collector", "store", None)
    service.now += 1
    await service.publish(make_snapshot(NOW))
    read = families(await service.ask("/api/metrics"))
    assert "rcmon_trouble" not in read
    assert value(read, "rcmon_status_reasons", reason="store_trouble", level="degraded") == 0
