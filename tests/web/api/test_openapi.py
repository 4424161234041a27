"""The OpenAPI document is what the routes are, and what is answered is what it says."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from rcmon.access.roles import Role
from rcmon.timestamps import iso
from rcmon.web.about import BASE
from rcmon.web.api.contract import body_of, given_by
from rcmon.web.app import TABLE, address
from rcmon.web.auth import allowed, need_for, needs
from rcmon.web.base import Handler
from tests.steering.steered import AGENT, SITES, question, steered
from tests.web.grid import NOW
from tests.web.serving import Serving

WHERE = "rcmon:openapi"
JSON = {"Content_Type": "application/json"}


async def document(service: Serving) -> dict[str, Any]:
    answer = await service.ask("/api/openapi.json")
    assert (answer.code, answer.headers["Content-Type"]) == (200, "application/openapi+json")
    return dict(json.loads(answer.body))


async def test_it_is_openapi(service: Serving) -> None:
    told = await document(service)
    assert told["openapi"].startswith("3.1.")
    validate(told)


async def test_it_is_equal_to_the_routes(service: Serving) -> None:
    """Every route, method, role and parameter, and no others."""
    paths = (await document(service))["paths"]
    assert {path: sorted(methods) for path, methods in paths.items()} == {
        address(handler): sorted(method.lower() for method in allowed(handler)) for handler in TABLE
    }
    for handler in TABLE:
        for method in allowed(handler):
            told = paths[address(handler)][method.lower()]
            need = need_for(handler, method)
            assert told["security"] == [{"certificate": [need.value] if isinstance(need, Role) else []}]
            taken = {"path": set(re.findall(r"{([a-z]+)}", address(handler)))}
            if method != "OPTIONS":
                taken["query"] = {parameter.name for parameter in handler.reader.parameters}
            for place in ("path", "query"):
                found = {one["name"] for one in told["parameters"] if one["in"] == place}
                assert found == taken.get(place, set()), (handler.route, method)
    identifiers = [one["operationId"] for methods in paths.values() for one in methods.values()]
    assert len(identifiers) == len(set(identifiers))


@pytest.mark.parametrize("handler", TABLE, ids=lambda handler: handler.__name__)
def test_every_method_of_the_api_says_what_it_gives_and_takes(handler: type[Handler]) -> None:
    """`@gives` and `@takes` stand below `@requires`; a page's method need not say that it gives a page."""
    for name, _ in needs(handler):
        method = getattr(handler, name.lower())
        assert given_by(method) is not None or not handler.route.startswith("/api"), f"{name}: @gives(...)"
        takes = handler.max_body > 0 and name in ("PUT", "POST", "PATCH")
        assert (body_of(method) is not None) == takes, f"{name}: @takes(...)"


class Judge:
    """Holds answers against what the document says of them."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.seen: set[tuple[str, str]] = set()
        resource = Resource.from_contents(told, default_specification=DRAFT202012)
        self._registry = Registry().with_resource(WHERE, resource)

    async def ask(self, service: Serving, path: str, code: int = 200, **options: Any) -> Any:
        """Ask, as an admin if as nobody else, and hold the answer against what is said."""
        method = options.get("method", "GET").lower()
        answer = await service.ask(path, options.pop("who", "admin"), **options)
        assert answer.code == code, (path, answer.body)
        found = self._found(urlsplit(BASE + path).path)
        said = self.told["paths"][found][method]["responses"][str(code)]
        if "$ref" in said:
            said = self.told["components"]["responses"][str(code)]
        self.seen.add((found, method))
        content = said.get("content")
        if content is None:
            assert not answer.body
            return answer
        media_type = answer.headers["Content-Type"].partition(";")[0]
        schema = content[media_type]["schema"]
        if media_type.endswith(("/json", "problem+json")):
            self.hold(schema, json.loads(answer.body))
        return answer

    def hold(self, schema: dict[str, Any], value: Any) -> None:
        text = json.dumps(schema).replace("#/components", f"{WHERE}#/components")
        Draft202012Validator(json.loads(text), registry=self._registry).validate(value)

    def _found(self, path: str) -> str:
        whole = [one for one in self.told["paths"] if one == path]
        shaped = [one for one in self.told["paths"] if re.fullmatch(re.sub(r"{[a-z]+}", "[^/]+", one), path)]
        return (whole + shaped)[0]


async def test_every_answer_is_as_it_says(service: Serving, tmp_path: Path) -> None:
    judge = Judge(await document(service))
    await ask_all(judge, service)
    apart = tmp_path / "steered"
    apart.mkdir()
    async with steered(apart) as other:
        await other.cycles(2)
        other.board.set(SITES, prod_status="drain")
        await other.cycles(3)
        for metric in ("sts15min", "scap15min"):
            search = {"method": "POST", "body": question(metric), "who": "agent", **JSON}
            await judge.ask(other.served, f"/api/agents/{AGENT}/ssb/_msearch", **search)
        site, agent = f"/api/sites/{SITES[0]}", f"/api/agents/{AGENT}"
        for path in (f"{agent}/control", f"{site}/history", f"{site}/history?task=Merge", "/api/history"):
            await judge.ask(other.served, path)
        for path in (site, f"{site}/why", agent, "/api/agents", "/api/sites", "/api/why"):
            await judge.ask(other.served, f"{path}?at={iso(other.now)}")
        await judge.ask(other.served, "/api/quarantine")
        held = (await other.read("/api/quarantine"))["quarantine"]
        assert held
        said = {"method": "POST", "body": b'{"reason": "as it is"}', **JSON}
        for decision in ("reject", "release"):
            await judge.ask(other.served, f"/api/quarantine/{held[0]['id']}/{decision}", 204, **said)
    told = {
        (path, method)
        for path, methods in judge.told["paths"].items()
        for method, one in methods.items()
        if method not in ("head", "options") and "api" in one["tags"] and not path.endswith("/api/events")
    }
    assert told - judge.seen == set()


async def ask_all(judge: Judge, service: Serving) -> None:
    """Ask for each resource, in each of its forms."""
    site, agent = "/api/sites/T1_US_FNAL", "/api/agents/vocms0281"
    report = json.dumps({"agent_url": "vocms0281.cern.ch", "timestamp": NOW}).encode()
    await judge.ask(service, f"{agent}/report", 404)
    await judge.ask(service, f"{agent}/report", 204, method="PUT", body=report, **JSON)
    finding = "/api/findings/a1/acknowledgement"
    said = {"method": "PUT", "body": b'{"reason": "known"}', **JSON}
    await judge.ask(service, finding, 204, **said)
    for path in (
        "/api", "/api/status", "/api/whoami", "/api/metrics", "/api/metrics?part=grid", "/api/http_sd",
        "/api/agents", "/api/overview", agent,
        f"{agent}/thresholds", f"{agent}/backlog", f"{agent}/report", "/api/sites",
        "/api/sites?limit=2&fields=name,jobs", "/api/sites?format=csv", "/api/sites?format=ndjson",
        site, f"{site}/why", f"{site}/expected",
        f"{site}/workflows", f"{site}/history", f"{site}/history?step=1h", f"{site}/history?task=Merge",
        f"{site}/override", f"{agent}/sites/T1_US_FNAL/override", "/api/overrides", "/api/overrides/1",
        "/api/history", "/api/history?step=1h", "/api/history?task=Merge", "/api/why?limit=20", "/api/drift",
        "/api/findings", "/api/journal", "/api/quarantine", "/api/openapi.json",
    ):  # fmt: skip
        await judge.ask(service, path)
    await judge.ask(service, "/api/quality", 308)
    await judge.ask(service, f"{agent}/control", 404)
    await judge.ask(service, "/api/sites?x=1", 400)
    await judge.ask(service, "/api/status", 403, who="stranger")
    await judge.ask(service, finding, 204, method="DELETE")
    await ask_changes(judge, service)
    weight = {"method": "PUT", "body": b'{"reason": "half", "weight": 0.5}', **JSON}
    await judge.ask(service, f"{agent}/weight", 204, **weight)


async def ask_changes(judge: Judge, service: Serving) -> None:
    """Change overrides in each way."""
    made = {"body": b'{"reason": "broken", "state": "Down"}', "method": "PUT", **JSON}
    for place in ("/api/sites/T2_CH_CERN/override", "/api/agents/vocms0282/sites/T2_CH_CERN/override"):
        await judge.ask(service, f"{place}?preview", **made, If_None_Match="*")
        await judge.ask(service, place, 428, **made)
        there = await judge.ask(service, place, 201, **made, If_None_Match="*")
        ended = await judge.ask(service, place, method="DELETE", If_Match=there.headers["ETag"])
    undo = f"/api/overrides/{json.loads(ended.body)['number']}/undo"
    await judge.ask(service, undo, 412, method="POST", If_Match='"x"')
    await judge.ask(service, undo, method="POST", If_Match=ended.headers["ETag"])
    entry = {"site": "T2_CH_CERN", "etag": None, "override": {"reason": "all", "state": "Down"}}
    many = {"method": "PUT", "body": json.dumps({"overrides": [entry]}).encode(), **JSON}
    await judge.ask(service, "/api/overrides", **many)


async def test_a_judge_finds_what_is_otherwise(service: Serving) -> None:
    told = await document(service)
    told["components"]["schemas"]["Status"]["required"].append("colour")
    with pytest.raises(Exception, match="colour"):
        await Judge(told).ask(service, "/api/status")
