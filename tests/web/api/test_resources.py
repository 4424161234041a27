"""The index, whoami, agents and findings: what they say and that it is so."""

import re

import msgspec
from msgspec import structs

from rcmon.access.authority.crl import CrlStatus
from rcmon.access.roles import Role
from rcmon.model import Component, Worker
from rcmon.web.about import BASE
from rcmon.web.app import TABLE, address, describe
from rcmon.web.auth import requires
from rcmon.web.base import Handler
from tests.web.grid import AGENTS, NOW, SITES, make_snapshot
from tests.web.pki import CREDENTIALS, subject
from tests.web.serving import Serving
from tests.web.test_auth import ENDING, path_of


async def read(service: Serving, path: str, persona: str = "reader") -> dict[str, object]:
    answer = await service.ask(path, persona)
    assert answer.code == 200
    assert answer.headers["Content-Type"] == "application/json"
    return dict(msgspec.json.decode(answer.body))


async def test_the_index_lists_every_route_with_its_role(service: Serving) -> None:
    index = await read(service, "/api")
    assert (index["name"], index["version"]) == ("rcmon", service.about.version)
    listed = index["endpoints"]
    endpoints = {endpoint["path"]: endpoint for endpoint in reversed(listed)}  # type: ignore[call-overload]
    assert set(endpoints) == set(map(address, TABLE))
    assert "/" in endpoints
    for handler in TABLE:
        endpoint = endpoints[address(handler)]
        assert endpoint["methods"] in (
            ["GET", "HEAD", "OPTIONS"],
            ["PUT", "DELETE", "OPTIONS"],
            ["PUT", "OPTIONS"],
            ["POST", "OPTIONS"],
        )
        assert endpoint["summary"].endswith(".")
        assert all(taken["allowed"] and taken["schema"] for taken in endpoint["parameters"])
        assert [taken["name"] for taken in endpoint["parameters"]] == [
            parameter.name for parameter in handler.reader.parameters
        ]
    writes = [endpoint for endpoint in listed if "GET" not in endpoint["methods"]]  # type: ignore[attr-defined]
    assert [(one["path"], one["methods"], one["role"]) for one in writes] == [
        (f"{BASE}/api/agents/{{agent}}/report", ["PUT"], "agent"),
        (f"{BASE}/api/findings/{{finding}}/acknowledgement", ["PUT", "DELETE", "OPTIONS"], "operator"),
        (f"{BASE}/api/sites/{{site}}/override", ["PUT", "DELETE"], "operator"),
        (f"{BASE}/api/agents/{{agent}}/sites/{{site}}/override", ["PUT", "DELETE"], "operator"),
        (f"{BASE}/api/overrides", ["PUT"], "operator"),
        (f"{BASE}/api/overrides/{{change}}/undo", ["POST", "OPTIONS"], "operator"),
        (f"{BASE}/api/agents/{{agent}}/ssb/_msearch", ["POST", "OPTIONS"], "agent"),
        (f"{BASE}/api/quarantine/{{id}}/release", ["POST", "OPTIONS"], "operator"),
        (f"{BASE}/api/quarantine/{{id}}/reject", ["POST", "OPTIONS"], "operator"),
        (f"{BASE}/api/agents/{{agent}}/weight", ["PUT", "OPTIONS"], "operator"),
    ]
    assert endpoints[f"{BASE}/api/status"]["role"] == "reader"
    assert endpoints[f"{BASE}/api/whoami"]["role"] == "any"


def test_methods_for_different_roles_are_different_endpoints() -> None:
    class Both(Handler):
        route = "/both"

        @requires(Role.READER)
        def get(self) -> None:
            """Do nothing."""

        @requires(Role.AGENT)
        def post(self) -> None:
            """Do nothing."""

    described = [(resource.role, resource.methods) for resource in describe(Both)]
    assert described == [("reader", ("GET", "HEAD", "OPTIONS")), ("agent", ("POST",))]


async def test_whoami_for_every_persona(service: Serving) -> None:
    for persona, credential in CREDENTIALS.items():
        name = subject(credential)
        me = await read(service, "/api/whoami", persona)
        assert me["subject"] == {"slash": name.slash(), "rfc4514": name.rfc4514()}
        expected = {
            "stranger": [],
            "reader": ["reader"],
            "agent": ["agent", "reader"],
            "operator": ["operator", "reader"],
            "admin": ["admin", "agent", "operator", "reader"],
        }[persona]
        assert me["roles"] == expected
        assert me["emails"] == [f"{persona}@example.org"]
        assert (me["limited"], me["proxy"], me["fqans"]) == (False, False, [])
        chain = me["chain"]
        assert chain[0]["subject"] == name.slash()  # type: ignore[index]
        assert chain[0]["issuer"] == chain[1]["subject"] == me["issuer"]["slash"]  # type: ignore[index]
        assert me["expires"] == min(link["not_after"] for link in chain)  # type: ignore[attr-defined]


async def test_agents(service: Serving) -> None:
    agents = await read(service, "/api/agents")
    assert [agent["name"] for agent in agents["agents"]] == list(AGENTS)  # type: ignore[attr-defined]
    one = await read(service, "/api/agents/vocms0281")
    assert one["name"] == "vocms0281"
    assert one["sites"] == len(SITES)


async def test_an_agents_thresholds_and_backlog(service: Serving) -> None:
    agent = make_snapshot().agents["vocms0281"]
    thresholds = await read(service, "/api/agents/vocms0281/thresholds")
    assert set(thresholds) == set(SITES)
    site, known = thresholds["T1_US_FNAL"], agent.sites["T1_US_FNAL"]
    assert site["total_running_slots"] == known.running_slots  # type: ignore[index]
    assert set(site["thresholds"]) == set(known.tasks)  # type: ignore[index]
    backlog = await read(service, "/api/agents/vocms0281/backlog")
    assert backlog["T1_US_FNAL"]["total_slots"] == known.pending_slots  # type: ignore[index]


async def test_findings(service: Serving) -> None:
    findings = await read(service, "/api/findings")
    assert findings["count"] == 2
    assert {finding["kind"] for finding in findings["findings"]} == {"null_slots", "state_differs"}  # type: ignore[attr-defined]


async def test_the_findings_old_place_leads_to_the_new_one_for_readers_only(service: Serving) -> None:
    for method in ("GET", "HEAD"):
        moved = await service.ask("/api/quality?pretty", method=method)
        assert (moved.code, moved.headers["Location"]) == (308, f"{BASE}/api/findings?pretty")
    assert (await service.ask("/api/quality", "stranger")).code == 403
    assert (await service.ask("/api/quality?x")).code == 400


async def test_the_hosts_bare_address_leads_readers_to_the_page(service: Serving) -> None:
    moved = await service.ask("//?site=T1_*")
    assert (moved.code, moved.headers["Location"]) == (308, f"{BASE}/?site=T1_*")
    assert (await service.ask("//", "stranger")).code == 403
    assert (await service.ask(f"/{moved.headers['Location']}")).code == 200


async def test_a_timestamp_is_the_begin_of_the_snapshot_wherever_one_stands(service: Serving) -> None:
    paths = (
        "/api/status",
        "/api/sites",
        "/api/sites?tier=T1",
        "/api/agents",
        "/api/agents/vocms0281",
        "/api/findings",
    )
    assert {(await read(service, path))["timestamp"] for path in paths} == {"2026-01-01T11:59:48Z"}


async def test_no_number_has_more_than_milliseconds(service: Serving) -> None:
    """Whatever a source gave: 0.30732400399983817 is noise to whoever reads it."""
    odd = 1 / 3
    snapshot = make_snapshot(interval=60 + odd)
    worker = Worker("w", "Running", NOW - odd, 60 + odd, odd, last_error=NOW - odd, problem="silent")
    agent = structs.replace(
        snapshot.agents["vocms0281"],
        polled_at=NOW - odd,
        components=(Component("c", 1, 7200 + odd, (worker,)),),
    )
    sources = tuple(
        structs.replace(source, duration=odd, last_success=NOW - odd) for source in snapshot.sources
    )
    await service.publish(
        structs.replace(
            snapshot, duration=odd, sources=sources, agents={**snapshot.agents, agent.name: agent}
        )
    )
    service.now += odd
    service.trust.lists = (CrlStatus("/ca/1.r0", "/CN=CA", NOW - 60, NOW + 60, 1, 20, None),)
    for handler in ENDING:
        answer = await service.ask(path_of(handler))
        if answer.headers["Content-Type"] == "application/json":
            assert re.findall(rb"[0-9]\.[0-9]{4,}", answer.body) == [], handler.route
