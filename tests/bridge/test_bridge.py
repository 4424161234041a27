"""The running bridge over real sockets: what rcmon says well is passed on, and nothing else ever is."""

import datetime as dt
import gzip
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.access import pki
from tests.bridge.bridging import TOKEN, Bridge, Place, bridging, question
from tests.bridge.upstream import AGENT, NODE, ROOT, SITES, Double, document, double, http, well
from tests.integration.running import PROJECT, until


@pytest.fixture
def rcmon() -> Iterator[Double]:
    with double() as made:
        yield made


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def bridge(rcmon: Double, place: Place, tmp_path: Path) -> Iterator[Bridge]:
    with bridging(tmp_path, place.options(rcmon.url)) as made:
        yield made


def names(answer: Any) -> list[str]:
    return [hit["_source"]["data"]["name"] for hit in answer["responses"][0]["hits"]["hits"]]


def test_a_cycle_is_answered_in_the_form_that_agents_read(bridge: Bridge, rcmon: Double) -> None:
    states, cpu, io = bridge.cycle()
    assert names(states) == names(cpu) == names(io) == [*SITES]
    assert states["responses"][0]["hits"]["hits"][1]["_source"]["data"]["prod_status"] == "drain"
    first = cpu["responses"][0]["hits"]["hits"][0]
    assert first["_source"]["data"] == {
        "name": "T1_US_FNAL", "core_cpu_intensive": 4000, "core_io_intensive": 400
    }  # fmt: skip
    assert first["sort"][0] > 0
    assert set(rcmon.paths) == {f"POST /wm_resource_monitor/api/agents/{AGENT}/ssb/_msearch HTTP/1.1"}
    versions = [fields.get("x-rcmon-control-version") for _, fields in rcmon.asked]
    assert versions == [None, "7", "7"]


def test_gzip_is_understood_on_both_sides(bridge: Bridge, rcmon: Double) -> None:
    many = {f"T2_XX_Site{number}": ("enabled", 100, 10) for number in range(40)}
    rcmon.say = lambda metric, _: http(
        gzip.compress(json.dumps(document(metric, many)).encode()), Content_Encoding="gzip"
    )
    connection = bridge.connect()
    head = {"Authorization": f"Bearer {TOKEN}", "Accept-Encoding": "gzip"}
    connection.request("POST", f"/api/datasources/proxy/{AGENT}/_msearch", question("sts15min"), head)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert names(json.loads(gzip.decompress(body))) == [*many]


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN[:-1], TOKEN + "0", "é"])
def test_without_the_token_nothing_is_answered(bridge: Bridge, rcmon: Double, token: str | None) -> None:
    sent = None if token is None else token.encode().decode("latin-1")
    assert bridge.ask("sts15min", token=sent)[0] == 401
    assert rcmon.asked == []


def test_the_token_is_followed_and_without_one_nobody_is_answered(bridge: Bridge, place: Place) -> None:
    assert bridge.ask("sts15min")[0] == 200
    place.token.write_text("another-token-0123456789\n")
    assert bridge.ask("sts15min")[0] == 401
    assert bridge.ask("sts15min", token="another-token-0123456789")[0] == 200
    for content in ("", "\n", "short\n", "two words that are long enough\n"):
        place.token.write_text(content)
        assert bridge.ask("sts15min", token=content.strip())[0] == 503
    place.token.write_text(f"{TOKEN}\n")
    place.token.chmod(0o644)
    assert "others may read it" in bridge.ask("sts15min")[1]
    place.token.unlink()
    assert bridge.ask("sts15min")[0] == 503


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
def test_a_token_of_another_user_is_refused(bridge: Bridge, place: Place) -> None:
    os.chown(place.token, 65534, 65534)
    status, said = bridge.ask("sts15min")
    assert (status, "belongs to user 65534" in said) == (503, True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/api/datasources/proxy/{AGENT}/_msearch", 405),
        ("PUT", f"/api/datasources/proxy/{AGENT}/_msearch", 405),
        ("BREW", f"/api/datasources/proxy/{AGENT}/_msearch", 405),
        ("POST", "/api/datasources/proxy/vocms0999/_msearch", 404),
        ("POST", f"/api/datasources/proxy/{AGENT}/x/_msearch", 404),
        ("POST", f"/api/datasources/proxy/{AGENT}/_msearch/", 404),
        ("POST", "/wm_resource_monitor/api/overrides", 404),
        ("GET", "/", 404),
    ],
)
def test_only_an_agents_question_is_taken(
    bridge: Bridge, rcmon: Double, method: str, path: str, status: int
) -> None:
    assert bridge.send(method, path, question("sts15min"))[0] == status
    assert rcmon.asked == []


def test_a_question_for_another_metric_is_not_passed_on(bridge: Bridge, rcmon: Double) -> None:
    assert bridge.ask("tape_pledge")[0] == 503
    assert bridge.send("POST", f"/api/datasources/proxy/{AGENT}/_msearch", b"\xff" * 1000)[0] == 503
    assert rcmon.asked == []


def test_a_body_is_bounded(bridge: Bridge, rcmon: Double) -> None:
    for fields in ({}, {"Content-Encoding": "gzip"}):
        body = question("sts15min") + b" " * 300_000
        sent = gzip.compress(body) if fields else body
        try:
            status = bridge.send("POST", f"/api/datasources/proxy/{AGENT}/_msearch", sent, fields=fields)[0]
        except OSError:
            status = 400  # it was cut
        assert status == 400
    assert rcmon.asked == []


def broken(change: Callable[[dict[str, Any]], object]) -> Callable[[str, Any], bytes]:
    """Answer what is almost right."""

    def say(metric: str, _: Any) -> bytes:
        made = document(metric)
        changed = change(made)
        return http(made if changed is None else changed)

    return say


def hits(made: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = made["responses"][0]["hits"]["hits"]
    return found


def data(made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = hits(made)[1]["_source"]["data"]
    return found


STATES: dict[str, Callable[[str, Any], bytes | None]] = {
    "no hits": broken(lambda made: hits(made).clear()),
    "no responses": broken(lambda made: {"responses": []}),
    "two responses": broken(lambda made: {"responses": made["responses"] * 2}),
    "an error": broken(lambda made: {"responses": [{"error": {"type": "x"}}]}),
    "nothing": broken(lambda made: b""),
    "a login page": lambda *_: http(b"<html>login</html>", Content_Type="text/html"),
    "half a document": lambda metric, _: http(json.dumps(document(metric)).encode()[:-40]),
    "fewer octets than said": lambda metric, _: well(metric, {})[:-40],
    "half a head": lambda *_: b"HTTP/1.1 200 OK\r\nContent-Le",
    "no octet": lambda *_: b"",
    "a huge head": lambda metric, _: http(document(metric), X="a" * 200_000),
    "no number for a status": lambda metric, _: http(document(metric), "abc OK"),
    "no HTTP": lambda *_: b"SSH-2.0\r\n\r\n",
    "two lengths": lambda *_: b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "no chunk": lambda *_: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "half a gzip": lambda metric, _: http(
        gzip.compress(json.dumps(document(metric)).encode())[:-12], Content_Encoding="gzip"
    ),
    "another coding": lambda metric, _: http(document(metric), Content_Encoding="br"),
    "a status unknown": broken(lambda made: data(made).update(prod_status="unknown")),
    "no status": broken(lambda made: data(made).update(prod_status=None)),
    "a key missing": broken(lambda made: data(made).pop("prod_status", None) and None),
    "no name": broken(lambda made: data(made).pop("name") and None),
    "a site twice": broken(lambda made: hits(made).append(hits(made)[0])),
    "no sort": broken(lambda made: hits(made)[0].pop("sort") and None),
    "a sort of 0": broken(lambda made: hits(made)[0].update(sort=[0])),
    "day-old": lambda metric, _: http(document(metric, when=time.time() - 86_500)),
    "of tomorrow": lambda metric, _: http(document(metric, when=time.time() + 4000)),
    "no version": lambda metric, _: http(document(metric), version=None),
    "an odd version": lambda metric, _: http(document(metric), version="seven"),
    "a redirect": lambda *_: http(b"", "302 Found", Location="https://example.org/"),
    "no content": lambda *_: http(b"", "204 No Content"),
    "an answer of 203": lambda metric, _: http(document(metric), "203 Non-Authoritative"),
    "503": lambda *_: http({"detail": "the guard holds it back"}, "503 Service Unavailable"),
    "403": lambda *_: http({"detail": "no"}, "403 Forbidden"),
}
SLOTS: dict[str, Callable[[str, Any], bytes | None]] = {
    "no cores for computing": broken(lambda made: data(made).update(core_cpu_intensive=None)),
    "no cores for reading": broken(lambda made: data(made).pop("core_io_intensive", None) and None),
    "negative cores": broken(lambda made: data(made).update(core_cpu_intensive=-1)),
    "too many cores": broken(lambda made: data(made).update(core_io_intensive=10**9)),
    "cores as text": broken(lambda made: data(made).update(core_cpu_intensive="40")),
    "cores as truth": broken(lambda made: data(made).update(core_cpu_intensive=True)),
    "no site with a core": broken(
        lambda made: [hit["_source"]["data"].update(core_cpu_intensive=0) for hit in hits(made)] and None
    ),
    "slots of a site without state": broken(lambda made: data(made).update(name="T2_XX_New")),
    "another version": lambda metric, _: http(document(metric), version=8),
}


def test_what_is_in_doubt_is_never_passed_on(bridge: Bridge, rcmon: Double) -> None:
    passed = []
    for what, say in STATES.items():
        rcmon.say = say
        status, said = bridge.ask("sts15min")
        if status != 503 or not said.strip():
            passed.append(what)
    for what, say in (STATES | SLOTS).items():
        rcmon.say = well
        assert bridge.ask("sts15min")[0] == 200
        rcmon.say = say
        if "prod_status" not in what and bridge.ask("scap15min")[0] != 503:
            passed.append(f"slots: {what}")
    # of the states' faults these are none where slots are asked for
    states_only = {"a status unknown", "no status", "a key missing"}
    assert {one for one in passed if one.removeprefix("slots: ") not in states_only} == set()


def test_what_rcmon_says_of_a_refusal_is_passed_on(bridge: Bridge, rcmon: Double) -> None:
    rcmon.say = STATES["503"]
    assert "rcmon answers 503: the guard holds it back" in bridge.ask("sts15min")[1]


def test_a_site_that_was_there_is_never_left_out(bridge: Bridge, rcmon: Double) -> None:
    assert bridge.ask("sts15min")[0] == 200
    fewer = {name: SITES[name] for name in [*SITES][:-1]}
    rcmon.say = lambda metric, _: http(document(metric, fewer), version=8)
    status, said = bridge.ask("sts15min")
    assert (status, "leaves out T2_IT_Pisa" in said) == (503, True)
    rcmon.say = lambda metric, _: http(document(metric), version=9)
    assert bridge.ask("sts15min")[0] == 200


def test_slots_are_of_the_version_of_the_states_or_not_at_all(bridge: Bridge, rcmon: Double) -> None:
    assert bridge.ask("scap15min")[0] == 503
    assert bridge.ask("sts15min")[0] == 200
    rcmon.say = lambda metric, _: http(document(metric), version=8)
    assert "from version 7 to 8" in bridge.ask("scap15min")[1]
    rcmon.say = well
    assert bridge.ask("scap15min")[0] == 503
    rcmon.say = lambda metric, _: http(document(metric), version=8)
    assert [isinstance(said, dict) for said in bridge.cycle()] == [True] * 3


def test_a_hanging_rcmon_is_given_up_and_the_next_question_is_answered(bridge: Bridge, rcmon: Double) -> None:
    rcmon.say = lambda *_: None
    status, said = bridge.ask("sts15min")
    assert (status, "within 5 s" in said) == (503, True)
    rcmon.say = well
    assert bridge.ask("sts15min")[0] == 200


def test_rcmon_out_of_reach_is_a_503_that_says_so(place: Place, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with bridging(tmp_path, place.options(f"https://localhost:{port}")) as bridge:
        status, said = bridge.ask("sts15min")
    assert (status, "Connection refused" in said) == (503, True)


@pytest.mark.parametrize("other", ["name", "authority"])
def test_another_server_is_not_believed(place: Place, tmp_path: Path, other: str) -> None:
    strange = pki.authority(pki.name("DC=ch", "CN=Grid"))
    impostor = (
        pki.host(ROOT, x509.DNSName("example.org"), cn="example.org")
        if other == "name"
        else pki.host(strange)
    )
    with double(impostor) as rcmon, bridging(tmp_path, place.options(rcmon.url)) as bridge:
        status, said = bridge.ask("sts15min")
        assert (status, "not believed" in said) == (503, True)
        assert rcmon.asked == []


def test_an_expired_certificate_is_told_and_a_renewed_one_taken_up(rcmon: Double, tmp_path: Path) -> None:
    expired = pki.entity(
        pki.name("DC=ch", "CN=vocms0281.example.org"), ROOT,
        begins=dt.timedelta(days=-3), lasts=dt.timedelta(days=1),
    )  # fmt: skip
    place = Place(tmp_path, expired)
    with bridging(tmp_path, place.options(rcmon.url)) as bridge:
        status, said = bridge.ask("sts15min")
        assert (status, "ended" in said) == (503, True)
        NODE.write(place.cert)
        assert bridge.ask("sts15min")[0] == 200
        place.cert.write_text("broken")
        assert bridge.ask("sts15min")[0] == 200
    assert any("the node's certificate refused" in line for line in bridge.lines())


def test_a_change_is_logged_once_not_each_question(bridge: Bridge, rcmon: Double) -> None:
    for say in (well, STATES["503"], well):
        rcmon.say = say
        for _ in range(3):
            bridge.ask("sts15min")
    for _ in range(3):
        bridge.ask("sts15min", token="wrong")
    told = [line for line in bridge.lines() if "answering" in line or "refused" in line]
    assert len(told) == 4, told
    assert not any(TOKEN in line for line in bridge.lines())


def test_at_a_stop_the_question_in_hand_is_answered(bridge: Bridge, rcmon: Double) -> None:
    go = threading.Event()

    def later(metric: str, _: Any) -> bytes:
        go.wait(60)
        return http(document(metric))

    rcmon.say, found = later, []
    asking = threading.Thread(target=lambda: found.append(bridge.ask("sts15min")[0]))
    asking.start()
    until(lambda: rcmon.asked, "the question")
    bridge.process.send_signal(signal.SIGTERM)
    until(lambda: refuses(bridge.port), "the bridge to listen no longer")
    go.set()
    asking.join(60)
    assert found == [200]
    assert bridge.process.wait(60) == 0


def refuses(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return False
    except ConnectionRefusedError:
        return True
    except OSError:
        return False


def test_killed_while_it_answers_it_leaves_nothing_and_comes_again(
    rcmon: Double, place: Place, tmp_path: Path
) -> None:
    rcmon.say = lambda *_: None
    with bridging(tmp_path, place.options(rcmon.url)) as bridge:
        connection = bridge.connect()
        connection.request(
            "POST", f"/api/datasources/proxy/{AGENT}/_msearch", question("sts15min"),
            {"Authorization": f"Bearer {TOKEN}"},
        )  # fmt: skip
        until(lambda: rcmon.asked, "the question")
        bridge.process.kill()
        with pytest.raises((ConnectionError, ssl.SSLError)):
            connection.getresponse()
        connection.close()
    rcmon.say = well
    with bridging(tmp_path, place.options(rcmon.url)) as again:
        assert again.ask("sts15min")[0] == 200
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".key"]


def test_a_client_that_comes_and_goes_harms_nobody(bridge: Bridge) -> None:
    for said in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", os.urandom(500)):
        with socket.create_connection(("127.0.0.1", bridge.port)) as raw:
            raw.sendall(said)
    assert bridge.ask("sts15min")[0] == 200


@pytest.mark.parametrize(
    "change",
    [
        ["--listen", "0.0.0.0:0"], ["--listen", "10.0.0.1:80"], ["--listen", "127.0.0.1"],
        ["--listen", "[::ffff:127.0.0.1]:80"], ["--listen", "[::]:80"], ["--listen", "example.org:80"],
        ["--url", "http://localhost:1"], ["--url", "https://u:p@localhost"], ["--url", "x"],
        ["--agent", "../x"], ["--agent", "a b"], ["--timeout", "0"], ["--timeout", "nan"],
        ["--cert", "/nonexistent"], ["--ca", "/nonexistent"], ["--log-level", "loud"], ["--wrong", "1"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_cannot_be_used_ends_in_a_line(place: Place, tmp_path: Path, change: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rcmon.bridge", *place.options("https://localhost:1", *change)],
        capture_output=True, text=True, check=False, timeout=300, env={"PYTHONPATH": str(PROJECT)},
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 78, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("rcmon-bridge: ")
    assert change[0] in line


def test_it_starts_light(tmp_path: Path) -> None:
    """No database, no web client of the sources, nothing of the service itself."""
    heavy = ("sqlalchemy", "alembic", "httpx2", "aiosqlite", "rcmon.web", "rcmon.store")
    text = f"import sys, rcmon.bridge.cli; print([one for one in {heavy} if one in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=300,
        env={"PYTHONPATH": str(PROJECT)}, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
