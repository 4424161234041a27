"""Sites: selected, sorted, cut and written as asked, the whole list from ready bytes."""

import asyncio
import csv
import gzip
import io
import itertools
from typing import get_args

import msgspec
import pytest
from tornado.httpclient import HTTPResponse

from rcmon.model import Snapshot
from rcmon.web.about import BASE
from rcmon.web.api.site_query import Field, Sort
from tests.web.grid import DIFFERING, SITES, STATELESS, STATES, make_snapshot
from tests.web.pki import careful
from tests.web.raw import exchange
from tests.web.serving import Serving


def sites_in(answer: HTTPResponse) -> list[dict[str, object]]:
    assert answer.code == 200, answer.body
    read = msgspec.json.decode(answer.body)
    assert read["count"] == len(read["sites"])
    return list(read["sites"])


async def names(service: Serving, query: str) -> list[object]:
    return [site["name"] for site in sites_in(await service.ask(f"/api/sites?{query}"))]


async def test_all_sites_with_all_that_is_known(service: Serving) -> None:
    sites = sites_in(await service.ask("/api/sites"))
    snapshot = make_snapshot()
    assert [site["name"] for site in sites] == sorted(SITES)
    for site in sites:
        assert tuple(site) == get_args(Field)
        known = snapshot.sites[str(site["name"])]
        assert site["state"] == known.state
        assert site["running_slots"] == known.running_slots
        assert site["running_jobs"] == known.jobs.running
        assert set(site["agents"]) == set(known.agents)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("site=T1_US_FNAL", {"T1_US_FNAL"}),
        ("site=T1_*", {name for name in SITES if name.startswith("T1_")}),
        ("site=T1_*,T0_*", {name for name in SITES if name[:2] in ("T0", "T1")}),
        ("site=T1_*&site=T0_*", {name for name in SITES if name[:2] in ("T0", "T1")}),
        ("site=t1_*", set()),
        ("site=T1_US", set()),
        ("site=*_[DE]?_*", {name for name in SITES if name[3] in "DE"}),
        ("tier=T3", {name for name in SITES if name.startswith("T3")}),
        ("tier=T0,T1&site=*_U*", {"T1_UK_RAL", "T1_US_FNAL"}),
        ("state=Down", {"T2_UA_KIPT", "T2_RU_JINR"}),
        ("state=Down,Aborted", {"T2_UA_KIPT", "T2_RU_JINR", "T3_US_PSC"}),
        ("state=Draining", {name for name, state in STATES.items() if state == "Draining"} | set(DIFFERING)),
        ("state=differing", set(DIFFERING)),
        ("state=unknown", {STATELESS}),
        ("agent=vocms028*", set(SITES)),
        ("agent=nobody", set()),
    ],
)
async def test_which_sites(service: Serving, query: str, expected: set[str]) -> None:
    found = await names(service, query)
    assert set(found) == expected
    assert found == sorted(expected)  # the order of names unless another is asked for


@pytest.mark.parametrize("key", [sort for sort in get_args(Sort) if not sort.startswith("-")])
async def test_sorting_puts_the_unknown_last_either_way(service: Serving, key: str) -> None:
    up = sites_in(await service.ask(f"/api/sites?sort={key}"))
    down = sites_in(await service.ask(f"/api/sites?sort=-{key}"))
    if key == "agents":  # how many have it
        up, down = ([site | {key: len(site[key])} for site in order] for order in (up, down))  # type: ignore[arg-type]
    known = [site[key] for site in up if site[key] is not None]
    assert known == sorted(known)  # type: ignore[type-var]
    assert [site[key] for site in down if site[key] is not None] == known[::-1]
    unknown = sum(site[key] is None for site in up)
    for order in (up, down):
        assert all(site[key] is None for site in order[len(order) - unknown :])


async def test_sorting_by_several(service: Serving) -> None:
    sites = sites_in(await service.ask("/api/sites?sort=tier,-running_jobs"))
    pairs = [(site["tier"], -site["running_jobs"]) for site in sites]  # type: ignore[operator]
    assert pairs == sorted(pairs)


async def test_limit_and_offset_cut_behind_the_sorting(service: Serving) -> None:
    whole = await names(service, "sort=-pending_jobs")
    assert await names(service, "sort=-pending_jobs&limit=5") == whole[:5]
    assert await names(service, "sort=-pending_jobs&limit=5&offset=5") == whole[5:10]
    assert await names(service, "offset=60") == sorted(SITES)[60:]
    assert await names(service, "offset=1000") == []


async def test_a_list_says_how_many_there_are_and_where_it_goes_on(service: Serving) -> None:
    whole = msgspec.json.decode((await service.ask("/api/sites")).body)
    assert (whole["count"], whole["total"], whole["next"]) == (len(SITES), len(SITES), None)
    path, seen, pages = "/api/sites?tier=T2&sort=-running_jobs,name&limit=10&fields=name", [], 0
    while path:
        part = msgspec.json.decode((await service.ask(path)).body)
        assert part["total"] == sum(name.startswith("T2") for name in SITES)
        assert part["count"] == len(part["sites"]) <= 10
        seen += [site["name"] for site in part["sites"]]
        path = part["next"] and part["next"].removeprefix(BASE)
        pages += 1
    assert pages == 5
    assert seen == await names(service, "tier=T2&sort=-running_jobs,name")
    for path, listed in (("/api", "endpoints"), ("/api/agents", "agents"), ("/api/findings", "findings")):
        document = msgspec.json.decode((await service.ask(path)).body)
        assert document["count"] == document["total"] == len(document[listed])
        assert document["next"] is None


async def test_fields(service: Serving) -> None:
    sites = sites_in(await service.ask("/api/sites?fields=running_jobs,name&tier=T1"))
    assert all(list(site) == ["name", "running_jobs"] for site in sites)
    whole = {site["name"]: site["running_jobs"] for site in sites_in(await service.ask("/api/sites?tier=T1"))}
    assert {site["name"]: site["running_jobs"] for site in sites} == whole


async def test_csv(service: Serving) -> None:
    answer = await service.ask("/api/sites?format=csv&sort=-running_jobs")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="sites.csv"'
    assert "Content-Disposition" not in (await service.ask("/api/sites?format=json&tier=T1")).headers
    rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    assert len(rows) == len(SITES)
    by_name = {site["name"]: site for site in sites_in(await service.ask("/api/sites"))}
    for row in rows:
        site = by_name[row["name"]]
        assert row["running_slots"] == ("" if site["running_slots"] is None else str(site["running_slots"]))
        assert int(row["running_jobs"]) == site["running_jobs"]
        assert int(row["error_jobs"]) == site["jobs"]["error"]  # type: ignore[call-overload, index]
        assert row["agents"].split() == list(site["agents"])  # type: ignore[call-overload]
    differing = next(row for row in rows if row["name"] == "T2_US_MIT")
    assert differing["state"] == ""
    assert differing["states"] == "Normal: cmsgwms-submit4 vocms0282; Draining: vocms0281"
    assert answer.body.count(b"\r\n") == len(SITES) + 1


async def test_csv_of_some_fields(service: Serving) -> None:
    answer = await service.ask("/api/sites?format=csv&fields=name,jobs&limit=1")
    assert answer.body.splitlines()[0] == b"name,error_jobs,complete_jobs,unknown_jobs"


async def test_ndjson(service: Serving) -> None:
    answer = await service.ask("/api/sites?format=ndjson&tier=T1")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="sites.ndjson"'
    assert answer.body.endswith(b"\n")
    lines = [msgspec.json.decode(line) for line in answer.body.splitlines()]
    assert lines == sites_in(await service.ask("/api/sites?tier=T1"))


async def test_none_at_all_in_every_format(service: Serving) -> None:
    nothing = {
        "json": b'"count":0,"total":0,"next":null,"sites":[]}\n',
        "json&pretty": b'  "sites": []\n}\n',
        "ndjson": b"",
        "csv": b"unknown_jobs,agents\r\n",
    }
    for form, ending in nothing.items():
        answer = await service.ask(f"/api/sites?site=T9*&format={form}")
        assert answer.code == 200
        assert answer.body.endswith(ending)
    assert (await service.ask("/api/sites?site=T9*&format=ndjson")).body == b""


async def test_a_query_that_asks_for_all_gives_what_the_ready_bytes_give(service: Serving) -> None:
    ready = (await service.ask("/api/sites")).body
    assert (await service.ask("/api/sites?format=json")).body == ready
    pretty = (await service.ask("/api/sites?pretty")).body
    assert pretty == msgspec.json.format(ready, indent=2) + b"\n"


async def test_a_stream_has_a_condition_that_its_query_belongs_to(service: Serving) -> None:
    queries = ("tier=T1", "tier=T2", "tier=T1&sort=-name", "tier=T1&format=csv", "tier=T1&fields=name")
    tags = set()
    for query, coding in itertools.product(queries, ("identity", "gzip")):
        answer = await service.ask(f"/api/sites?{query}", Accept_Encoding=coding)
        etag = answer.headers["Etag"]
        tags.add(etag)
        again = await service.ask(f"/api/sites?{query}", Accept_Encoding=coding, If_None_Match=etag)
        assert (again.code, again.body) == (304, b"")
    assert len(tags) == 2 * len(queries)
    await service.publish(make_snapshot(seed=8))
    changed = await service.ask("/api/sites?tier=T1")
    assert changed.headers["Etag"] not in tags


async def test_a_stream_is_compressed(service: Serving) -> None:
    plain = await service.ask("/api/sites?tier=T1,T2")
    packed = await service.ask("/api/sites?tier=T1,T2", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body


async def test_a_stream_to_an_old_client_that_keeps_the_connection(service: Serving) -> None:
    """HTTP/1.0 knows no chunks: without a length the client would wait for the end of the connection."""
    request = f"GET {BASE}/api/sites?sort=-name HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".encode()
    client = careful("reader")
    reader, writer = await asyncio.open_connection("localhost", service.port, ssl=client)
    for _ in range(2):
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert "Connection: Keep-Alive" in head
        assert "Transfer-Encoding" not in head
        length = int(head.partition("Content-Length: ")[2].partition("\r\n")[0])
        assert msgspec.json.decode(await reader.readexactly(length))["count"] == len(SITES)
    writer.close()


async def test_a_slow_reader_gets_everything(service: Serving) -> None:
    for path in ("/api/sites", "/api/sites?sort=-name"):
        expected = (await service.ask(path)).body
        head, body = await exchange(
            service, f"GET {BASE}{path} HTTP/1.1", "Connection: close", pause=0.001, receive=4096
        )
        assert (unchunked(body) if "Transfer-Encoding: chunked" in head else body) == expected


def unchunked(body: bytes) -> bytes:
    whole = b""
    while True:
        size, _, rest = body.partition(b"\r\n")
        if not int(size, 16):
            return whole
        whole += rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]


async def test_a_client_that_leaves_is_no_error(service: Serving, caplog: pytest.LogCaptureFixture) -> None:
    for path in ("/api/sites", "/api/sites?sort=-name", "/api/metrics"):
        client = careful("reader")
        reader, writer = await asyncio.open_connection("localhost", service.port, ssl=client)
        writer.write(f"GET {BASE}{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await reader.read(100)
        writer.transport.abort()
    assert (await service.ask("/api/status")).code == 200
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_one_site(service: Serving) -> None:
    whole = {site["name"]: site for site in sites_in(await service.ask("/api/sites"))}
    for name in ("T1_US_FNAL", "T2_US_MIT", STATELESS):
        answer = await service.ask(f"/api/sites/{name}")
        assert msgspec.json.decode(answer.body) == whole[name]
        assert answer.body.endswith(b"}\n")


async def test_names_that_need_escapes(service: Serving) -> None:
    snapshot = make_snapshot()
    site = msgspec.structs.replace(snapshot.sites["T1_US_FNAL"], name='T1 "odd",ü?')
    sites = {**snapshot.sites, site.name: site}
    changed: Snapshot = msgspec.structs.replace(snapshot, sites=sites)
    await service.publish(changed)
    answer = await service.ask("/api/sites/T1%20%22odd%22%2C%C3%BC%3F")
    assert msgspec.json.decode(answer.body)["name"] == site.name
    rows = csv.DictReader(io.StringIO((await service.ask("/api/sites?format=csv")).body.decode(), newline=""))
    assert site.name in [row["name"] for row in rows]
