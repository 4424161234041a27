"""Reports over the wire: who may push, what is taken, and that it is kept before anybody is told so."""

import asyncio
import gzip
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from rcmon.access.gate import Gate
from rcmon.access.roles import RoleTable
from rcmon.store import Store
from rcmon.telemetry.own import DECISIONS
from rcmon.web.api.reports import LARGEST
from rcmon.web.app import TABLE
from tests.web.caller import head
from tests.web.grid import NOW
from tests.web.pki import CREDENTIALS, PERSONAS, STRANGER, subject
from tests.web.serving import Serving, serving

SAMPLE = Path(__file__).parent.parent.parent / "data" / "upstream" / "agent_info.json"
INFO = SAMPLE.read_bytes()
"""An agent's document; written at NOW."""
SUBMITTED = {"T2_CH_CERN": {"Processing": {"NoPendingSlot": 12, "NoTaskPendingSlot": 3, "submitted": 40}}}
MINE, OTHERS = "/api/agents/vocms0281/report", "/api/agents/vocms0282/report"
JSON = {"Content_Type": "application/json"}


@asynccontextmanager
async def pushing(tmp_path: Path, **options: Any) -> AsyncIterator[Serving]:
    """Serve every resource over a store."""
    store = Store(f"sqlite:///{tmp_path}/rcmon.sqlite")
    await store.migrate()
    async with serving(table=TABLE, store=store, **options) as served:
        yield served


def info(**fields: object) -> bytes:
    """Write a document that differs."""
    return json.dumps({**json.loads(INFO), **fields}).encode()


async def put(served: Serving, body: bytes, path: str = MINE, who: str = "agent", **fields: str) -> Any:
    return await served.ask(path, who, method="PUT", body=body, **{**JSON, **fields})


async def told(served: Serving, path: str = MINE, who: str = "reader") -> Any:
    answer = await served.ask(path, who)
    assert answer.code == 200, answer.body
    return json.loads(answer.body)


async def test_a_report_is_told_as_it_was_pushed_with_age_and_by_whom(tmp_path: Path) -> None:
    async with pushing(tmp_path) as served:
        answer = await put(served, INFO)
        assert (answer.code, answer.body) == (204, b"")
        served.now += 10
        assert (await put(served, json.dumps(SUBMITTED).encode())).code == 204
        found = await told(served)
        assert found["agent"] == "vocms0281"
        first, second = found["agent_info"], found["submit_report"]
        assert first.pop("document") == json.loads(INFO)
        assert first == {
            "time": "2026-01-01T12:00:00Z",
            "received": "2026-01-01T12:00:00Z",
            "by": "/DC=ch/CN=agent",
            "age": 10.0,
            "stale": False,
        }
        assert (second["document"], second["age"], second["stale"]) == (SUBMITTED, 0.0, False)
        served.now += 1195
        assert [(await told(served))[kind]["stale"] for kind in ("agent_info", "submit_report")] == [
            True,
            False,
        ]
        pretty = await served.ask(MINE + "?pretty=1")
        assert pretty.body.startswith(b'{\n  "agent"')


async def test_nothing_pushed_is_a_404(tmp_path: Path) -> None:
    async with pushing(tmp_path) as served:
        answer = await served.ask(MINE)
        assert answer.code == 404
        assert "has pushed no report" in json.loads(answer.body)["detail"]


async def test_the_same_body_twice_changes_nothing(tmp_path: Path) -> None:
    async with pushing(tmp_path) as served:
        assert (await put(served, INFO)).code == 204
        before = await told(served)
        served.now += 5
        assert (await put(served, INFO, who="admin")).code == 204
        served.now -= 5
        assert await told(served) == before


async def test_an_older_report_is_refused_with_both_times(tmp_path: Path) -> None:
    async with pushing(tmp_path) as served:
        await put(served, INFO)
        answer = await put(served, info(timestamp=NOW - 300))
        assert answer.code == 409
        problem = json.loads(answer.body)
        assert (problem["time"], problem["held"]) == ("2026-01-01T11:55:00Z", "2026-01-01T12:00:00Z")
        assert (await told(served))["agent_info"]["age"] == 0.0
        assert (await put(served, info(timestamp=NOW + 60))).code == 204
        assert (await told(served))["agent_info"]["age"] == -60.0


REFUSED = [
    (b"", {}, 400, "no JSON"),
    (b"{", {}, 400, "no JSON"),
    (b"\xff", {}, 400, "not UTF-8: octet 0xff at 0"),
    (b'{"x": "\xff"}', {}, 400, "not UTF-8"),
    (b"[" * 100_000, {}, 422, "no JSON object; a report is"),
    (b'{"a":' * 100_000, {}, 400, ""),
    (b"[]", {}, 422, "no JSON object; a report is"),
    (b"null", {}, 422, "no JSON object"),
    (b'{"T2_CH_CERN": 1}', {}, 422, "JobSubmitter's site report"),
    (b'{"T2_CH_CERN": {"Merge": {"NoPendingSlot": -1}}}', {}, 422, "`int` >= 0"),
    (b'{"T2_CH_CERN": {"Merge": {"NoPendingSlot": 1.5}}}', {}, 422, "Expected `int`, got `float`"),
    (b'{"type": "agent_info"}', {}, 422, "missing required field `agent_url`"),
    (info(drain_mode="no"), {}, 422, "`$.drain_mode`"),
    (info(timestamp=NOW * 1000), {}, 422, "ahead of the clock here"),
    (info(timestamp=NOW + 301), {}, 422, "301 s ahead of the clock here"),
    (info(timestamp=12), {}, 422, "before the year 2000"),
    (info(agent_url="://"), {}, 422, "agent_url names no host"),
    (INFO, {"Content_Type": "text/plain"}, 415, "Content-Type is 'text/plain'; allowed is application/json"),
    (INFO, {"Content_Type": "application/json; charset=latin-1"}, 415, "Content-Type"),
    (INFO, {"Content_Encoding": "br"}, 415, "Content-Encoding is 'br'; allowed is gzip or identity"),
    (INFO, {"Content_Encoding": "gzip"}, 400, "no gzip stream"),
    (gzip.compress(INFO)[:-5], {"Content_Encoding": "gzip"}, 400, "ends before its end"),
    (gzip.compress(INFO) + b"x", {"Content_Encoding": "gzip"}, 400, "Something follows"),
    (gzip.compress(b"[" * (LARGEST + 1)), {"Content_Encoding": "gzip"}, 413, f"than the {LARGEST} bytes"),
    (b" " * (LARGEST + 1), {}, 413, f"at most {LARGEST} bytes"),
]


@pytest.mark.parametrize(("body", "fields", "status", "words"), REFUSED)
async def test_what_is_wrong_is_named(
    body: bytes, fields: dict[str, str], status: int, words: str, tmp_path: Path
) -> None:
    async with pushing(tmp_path) as served:
        answer = await put(served, body, **fields)
        assert answer.code == status, answer.body
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert words in json.loads(answer.body)["detail"]
        assert (await served.ask(MINE)).code == 404  # and nothing of it is held


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP"])
async def test_gzip_is_taken(coding: str, tmp_path: Path) -> None:
    async with pushing(tmp_path) as served:
        kind = "application/json; charset=UTF-8"
        sent = await put(served, gzip.compress(INFO), Content_Encoding=coding, Content_Type=kind)
        assert sent.code == 204
        assert (await told(served))["agent_info"]["document"] == json.loads(INFO)


async def test_a_bomb_is_inflated_to_the_bound_and_no_further(tmp_path: Path) -> None:
    """A thousand times what may be: 4 MB in, 4 GB out."""
    bomb = gzip.compress(gzip.compress(b" " * (LARGEST * 8), 9), 9)
    assert len(bomb) < LARGEST
    async with pushing(tmp_path) as served:
        inner = gzip.compress(b" " * (LARGEST * 8), 9)
        answer = await put(served, inner, Content_Encoding="gzip")
        assert answer.code == 413
        assert (await put(served, bomb, Content_Encoding="gzip")).code == 400  # what is inside is no JSON


async def test_the_largest_is_taken_and_told(tmp_path: Path) -> None:
    async with pushing(tmp_path) as served:
        whole = info(more="x" * (LARGEST - len(info(more=""))))
        assert len(whole) == LARGEST
        assert (await put(served, whole)).code == 204
        assert (await told(served))["agent_info"]["document"] == json.loads(whole)


@pytest.mark.parametrize("who", [who for who in PERSONAS if who not in ("agent", "admin")])
@pytest.mark.parametrize("fields", [("Content-Length: 5",), ("Transfer-Encoding: chunked",)])
async def test_who_is_no_agent_is_refused_before_a_byte_of_the_body(
    who: str, fields: tuple[str, ...], tmp_path: Path
) -> None:
    async with pushing(tmp_path) as served:
        caller = await served.call(CREDENTIALS[who])
        await caller.send(head(MINE, "Expect: 100-continue", *fields, method="PUT"))
        answer = await caller.answer()
        assert (answer.status, answer.fields["connection"]) == (403, "close")
        assert served.counted(DECISIONS) == {("agent", "denied"): 1.0}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
async def test_an_agent_reaches_its_own_report_and_no_other(method: str, tmp_path: Path) -> None:
    async with pushing(tmp_path) as served:
        await put(served, INFO, OTHERS, "admin")
        await put(served, INFO, MINE, "admin")
        body = INFO if method == "PUT" else None
        assert (await served.ask(MINE, "agent", method=method, body=body, **JSON)).code in (200, 204)
        for other in (OTHERS, "/api/agents/VOCMS0281/report", "/api/agents/vocms0281%20/report"):
            answer = await served.ask(other, "agent", method=method, body=body, **JSON)
            assert answer.code == 403, (other, answer.body)
            if method in ("GET", "PUT"):
                assert "is bound to vocms0281, and not to" in json.loads(answer.body)["detail"]
        caller = await served.call(CREDENTIALS["agent"])
        await caller.send(head(OTHERS, "Content-Length: 5", method=method))
        answer = await caller.answer(method)  # the head is enough
        assert (answer.status, answer.fields["connection"]) == (403, "close")


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("who", ["agent", "admin"])
async def test_other_methods_there_are_none(method: str, who: str, tmp_path: Path) -> None:
    async with pushing(tmp_path) as served:
        assert (await served.ask(MINE, who, method=method, body=b"{}", **JSON)).code == 405


@pytest.mark.parametrize(
    ("roles", "mine"),
    [
        ("agent = ['dn:AGENT']", 403),
        ("agent = [{subject = 'dn:AGENT', agents = ['vocms0282']}]", 403),
        ("agent = [{subject = 'dn:AGENT', agents = ['vocms0282', 'vocms0281']}]", 204),
        ("agent = [{subject = 'dn-under:/DC=ch', agents = ['vocms0281']}]", 204),
        ("agent = [{subject = 'dn:AGENT', agents = ['vocms0281'], issuer = 'dn:/DC=ch/CN=Root'}]", 204),
        ("agent = [{subject = 'dn:AGENT', agents = ['vocms0281'], issuer = 'dn:/DC=ch/CN=Other'}]", 403),
        ("agent = ['dn:AGENT', {subject = 'dn-under:/DC=ch', agents = ['vocms0281']}]", 204),
        ("operator = ['dn:AGENT']", 403),
        ("admin = ['dn:AGENT']", 204),
    ],
)
async def test_names_are_those_of_the_roles_file_and_none_without(
    roles: str, mine: int, tmp_path: Path
) -> None:
    table = RoleTable.parse("[roles]\n" + roles.replace("AGENT", str(subject(CREDENTIALS["agent"]))))
    async with pushing(tmp_path, gate=Gate(table)) as served:
        assert (await put(served, INFO)).code == mine


async def test_an_admin_pushes_for_any_name_and_no_nonsense(tmp_path: Path) -> None:
    async with pushing(tmp_path) as served:
        assert (await put(served, INFO, "/api/agents/never-heard-of/report", "admin")).code == 204
        for name in ("%20", "a%2Fb", "..", "%C3%A4", "x" * 201):
            answer = await put(served, INFO, f"/api/agents/{name}/report", "admin")
            assert answer.code == 404, name


async def test_without_a_store_it_is_said_when_to_come_again(tmp_path: Path) -> None:
    async with pushing(tmp_path) as served:
        with closing(sqlite3.connect(tmp_path / "rcmon.sqlite", isolation_level=None)) as other:
            other.execute("DROP TABLE report")
            answer = await put(served, INFO)
            assert (answer.code, answer.headers["Retry-After"]) == (503, "5")
            assert json.loads(answer.body)["detail"].startswith("The report is not kept")
            assert (await served.ask(MINE)).code == 503


async def test_while_somebody_else_writes_others_are_answered(tmp_path: Path) -> None:
    """A push waits for the store, and the loop for nothing."""
    async with pushing(tmp_path) as served:
        with closing(sqlite3.connect(tmp_path / "rcmon.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(put(served, INFO))
            for _ in range(5):
                assert (await served.ask("/api/status")).code == 200
            assert not waiting.done()
            other.execute("COMMIT")
            assert (await waiting).code == 204


async def test_a_stranger_learns_nothing(tmp_path: Path) -> None:
    async with pushing(tmp_path) as served:
        await put(served, INFO, who="admin")
        caller = await served.call(STRANGER)
        for method in ("GET", "HEAD", "OPTIONS", "PUT"):
            assert (await caller.ask(MINE, method=method)).status == 403


async def test_whoami_names_the_agents(tmp_path: Path) -> None:
    async with pushing(tmp_path) as served:
        for who, names in (("agent", ["vocms0281"]), ("admin", ["*"]), ("operator", []), ("reader", [])):
            assert json.loads((await served.ask("/api/whoami", who)).body)["agents"] == names
