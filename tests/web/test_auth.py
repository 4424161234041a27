"""Roles: every method declares one, every route checks it, and whatever is unclear is refused."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any, NoReturn

import msgspec
import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler, StaticFileHandler

from rcmon.access.roles import Role, RoleTable
from rcmon.telemetry.own import DECISIONS
from rcmon.web.about import BASE
from rcmon.web.answers.answer import Bare
from rcmon.web.app import TABLE, check, make_app
from rcmon.web.auth import ANYONE, allowed, authorize, follows_get, needs, requires
from rcmon.web.base import Handler
from rcmon.web.delivery import Delivery
from rcmon.web.handlers.moved import MovedHandler
from rcmon.web.handlers.whoami import WhoamiHandler
from rcmon.web.transport.request import Request
from tests.web.grid import OVERRIDDEN
from tests.web.pki import PERSONAS, STRANGER, subject
from tests.web.serving import Serving

PARTS = {
    "{site}": "T1_US_FNAL",
    "{runbook}": "AgentDown",
    "{chapter}": "terminal",
    "{agent}": "vocms0281",
    "{name}": "style.css",
    "{change}": "1",
    "{id}": "leaving-1",
}

NOT_THERE = {"/api/agents/{agent}/control": 404}
"""What is answered where nobody is steered."""


def path_of(handler: type[Handler]) -> str:
    path = handler.route if handler.outside is None else f"/{handler.outside}"
    for part, value in PARTS.items():
        path = path.replace(part, value)
    return path


ENDING = [handler for handler in TABLE if not handler.lasting]
"""What can be asked for as a whole."""


@pytest.mark.parametrize("persona", PERSONAS)
async def test_every_route_for_every_persona(service: Serving, persona: str) -> None:
    report = {"method": "PUT", "body": b"{}", "Content_Type": "application/json"}
    assert (await service.ask("/api/agents/vocms0281/report", "admin", **report)).code == 204
    for handler in TABLE:
        declared = dict(needs(handler))
        if "GET" not in declared:  # what is only written: OPTIONS follows the role of that
            options = await service.ask(path_of(handler), persona, method="OPTIONS")
            first = next(need for need in declared.values() if isinstance(need, Role))
            assert options.code == (204 if persona in (first.value, "admin") else 403), handler.route
            continue
        granted = persona != "stranger" or declared["GET"] == ANYONE
        found = 308 if issubclass(handler, MovedHandler) else NOT_THERE.get(handler.route, 200)
        for method, done in (("GET", found), ("HEAD", found), ("OPTIONS", 204)):
            if method == "GET" and granted and handler.lasting:
                continue
            answer = await service.ask(path_of(handler), persona, method=method)
            assert answer.code == (done if granted else 403), (handler.route, method)
            if not granted:
                assert answer.headers["Content-Type"] == "application/problem+json"


OWN = {"/api/agents/{agent}/report", "/api/agents/{agent}/control", "/api/agents/{agent}/ssb/_msearch"}
"""What an agent's certificate reaches of its own agent alone."""


async def test_an_agent_reads_what_readers_read_and_reaches_nothing_of_another(service: Serving) -> None:
    """For every route about an agent and each of its methods, of an agent that it is not bound to."""
    seen = set()
    for handler in TABLE:
        if "{agent}" not in handler.route:
            continue
        path = path_of(handler).replace("vocms0281", "vocms0282")
        for method, need in needs(handler):
            if need not in (Role.READER, Role.AGENT):
                continue  # no agent may do this at all
            more = {"body": b"{}", "Content_Type": "application/json"} if method in CHANGING else {}
            answer = await service.ask(path, "agent", method=method, **more)
            if handler.route in OWN:
                assert answer.code == 403, (handler.route, method)
                assert b"bound to" in answer.body or method == "HEAD"
                seen.add(handler.route)
            else:
                assert answer.code == (await service.ask(path, "reader", method=method, **more)).code
    assert seen == OWN


CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


def changing() -> list[tuple[type[Handler], str, Role]]:
    """List what changes something, with the role that it needs."""
    return [
        (handler, method, need)
        for handler in TABLE
        for method, need in needs(handler)
        if method in CHANGING and isinstance(need, Role)
    ]


def kept(service: Serving) -> list[str]:
    """Give all that the store keeps."""
    assert service.reads.address.path is not None
    with closing(sqlite3.connect(service.reads.address.path)) as there:
        return list(there.iterdump())


def test_whoever_may_change_something_is_named_here() -> None:
    """A method that changes something by mistake shows up here."""
    assert all(need in (Role.OPERATOR, Role.AGENT, Role.ADMIN) for _, _, need in changing())
    assert {(handler.route, method) for handler, method, need in changing() if need == Role.AGENT} == {
        ("/api/agents/{agent}/report", "PUT"),
        ("/api/agents/{agent}/ssb/_msearch", "POST"),
    }


@pytest.mark.parametrize("persona", PERSONAS)
async def test_nobody_changes_anything_without_the_role(service: Serving, persona: str) -> None:
    before = kept(service)
    for handler, method, need in changing():
        if persona in ("admin", need.value):
            continue
        answer = await service.ask(
            path_of(handler),
            persona,
            method=method,
            body=b"{}",
            Content_Type="application/json",
            If_Match='"1"',
        )
        assert answer.code == 403, (handler.route, method)
    assert kept(service) == before


@pytest.mark.parametrize(
    "fields",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site", "Origin": "https://evil.example.org"},
        {"Sec_Fetch_Site": "anything"},
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
    ],
)
async def test_a_browsers_cross_site_request_changes_nothing(
    service: Serving, fields: dict[str, str]
) -> None:
    """A browser sends its user's certificate with whatever a page of another site asks for."""
    before = kept(service)
    for handler, method, _ in changing():
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            for precondition in ({"If_Match": f'"{OVERRIDDEN.tag}"'}, {"If_None_Match": "*"}, {}):
                answer = await service.ask(
                    path_of(handler),
                    "admin",
                    method=method,
                    body=b'{"state": "Down", "reason": "r"}',
                    Content_Type=kind,
                    **fields,
                    **precondition,
                )
                assert answer.code == 403, (handler.route, method)
    assert kept(service) == before


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
async def test_a_body_that_a_form_could_send_changes_nothing(service: Serving, kind: str) -> None:
    """Also where the browser does not tell from where it comes."""
    before = kept(service)
    for handler, method, _ in changing():
        if method == "DELETE":
            continue  # no form sends it
        answer = await service.ask(
            path_of(handler),
            "admin",
            method=method,
            body=b'{"state": "Down", "reason": "r"}',
            If_Match=f'"{OVERRIDDEN.tag}"',
            **({"Content_Type": kind} if kind else {}),
        )
        assert answer.code in (404, 415), (handler.route, method, answer.body)
    assert kept(service) == before


async def test_a_page_of_this_service_itself_may_change_something(service: Serving) -> None:
    answer = await service.ask(
        "/api/sites/T1_US_FNAL/override",
        "operator",
        method="PUT",
        body=b'{"state": "Down", "reason": "r"}',
        Content_Type="application/json",
        If_Match=f'"{OVERRIDDEN.tag}"',
        Sec_Fetch_Site="same-origin",
        Origin=service.url(""),
    )
    assert answer.code == 200


async def test_only_whoami_and_looks_are_open_to_any_certificate() -> None:
    """A route that is opened by mistake shows up here."""
    open_routes = {handler.route for handler in TABLE if ANYONE in dict(needs(handler)).values()}
    assert open_routes == {"/api/whoami", "/static/{name}"}


async def test_a_refusal_names_subject_and_missing_role(service: Serving) -> None:
    answer = await service.ask("/api/status", "stranger")
    problem = msgspec.json.decode(answer.body)
    stranger = str(subject(STRANGER))
    assert problem["status"] == 403
    assert problem["title"] == "Forbidden"
    assert problem["subject"] == stranger
    assert problem["role_missing"] == "reader"
    assert problem["roles"] == []
    assert problem["issuer"] == "/DC=ch/CN=Root"
    assert stranger in problem["detail"]
    assert "reader" in problem["detail"]
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_refusal_comes_before_what_the_query_allows(service: Serving) -> None:
    answer = await service.ask("/api/sites?nonsense=1", "stranger")
    assert answer.code == 403
    assert b"nonsense" not in answer.body


async def test_a_role_that_is_taken_away_is_gone_at_the_next_request(service: Serving) -> None:
    assert (await service.ask("/api/status")).code == 200
    service.gate.replace_roles(RoleTable.parse("[roles]\n"))
    assert (await service.ask("/api/status")).code == 403
    assert (await service.ask("/api/whoami")).code == 200


async def test_a_certificate_that_expired_opens_nothing(
    service: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on a connection that was let in before."""
    end = service.identity("admin").not_after
    monkeypatch.setattr("rcmon.web.transport.peer.time.time", lambda: end)
    for path in ("/api/status", "/api/whoami", "/static/style.css", "/nothing"):
        answer = await service.ask(path, "admin")
        assert answer.code == 403, path
        assert "expired" in msgspec.json.decode(answer.body)["detail"]


async def test_a_connection_that_knows_of_nobody_opens_nothing(service: Serving) -> None:
    """Such as one of Tornado's own server: nothing of it was proved."""
    server = HTTPServer(service.application)
    sock, port = bind_unused_port()
    server.add_socket(sock)
    for path in ("/api/whoami", "/api/status", "/static/style.css", "/nowhere"):
        answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}{BASE}{path}", raise_error=False)
        assert answer.code == 403
        assert b"proved no identity" in answer.body
    server.stop()
    await server.close_all_connections()


async def test_a_check_that_fails_opens_nothing(service: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the gate is broken")

    monkeypatch.setattr("rcmon.web.transport.peer.Peer.decision", broken)
    answer = await service.ask("/api/status", "admin")
    assert answer.code == 500
    assert b"broken" not in answer.body


async def test_a_handler_fails_with_its_own_error_not_with_a_refusal(service: Serving) -> None:
    class Failing(Handler):
        route = "/failing"

        @requires(Role.READER)
        def get(self) -> NoReturn:
            raise PermissionError("of the handler, not of the check")

    service.add(Failing)
    assert (await service.ask("/failing")).code == 500
    assert (await service.ask("/failing", "stranger")).code == 403


@pytest.mark.parametrize("role", list(Role))
async def test_what_each_role_includes(service: Serving, role: Role) -> None:
    class Needing(Handler):
        route = "/needing"

        @requires(role)
        def get(self) -> Bare:
            return Bare(200)

    service.add(Needing)
    may = {persona for persona in PERSONAS if (await service.ask("/needing", persona)).code == 200}
    expected = {role.value, "admin"} if role != Role.READER else set(PERSONAS) - {"stranger"}
    assert may == expected


async def test_outcomes_are_counted(service: Serving) -> None:
    for path, persona in (
        ("/api/status", "reader"),
        ("/api/status?pretty", "reader"),
        ("/api/status", "stranger"),
        ("/api/whoami", "stranger"),
        ("/nothing", "reader"),
    ):
        await service.ask(path, persona)
    assert service.counted(DECISIONS) == {
        ("reader", "granted"): 2,
        ("reader", "denied"): 1,
        ("any", "granted"): 2,
    }


def bare(method: str) -> type[Handler]:
    def answer(self: Handler) -> Bare:
        return Bare(200)

    return type("Lacking", (Handler,), {method: answer, "route": "/lacking", "__module__": __name__})


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete", "options"])
def test_a_method_without_a_role_is_an_error_where_it_is_written(method: str) -> None:
    with pytest.raises(TypeError, match=f"Lacking.{method} declares no role"):
        bare(method)


@pytest.mark.parametrize("role", ["reader", None, object()])
def test_what_is_no_role_does_not_count_as_one(role: Any) -> None:
    with pytest.raises(TypeError, match="declares no role"):

        class Wrong(Handler):
            @requires(role)
            def get(self) -> None:
                """Do nothing."""


def test_the_mark_of_the_base_class_opens_no_way_round() -> None:
    with pytest.raises(TypeError, match="declares no role"):

        class Sly(Handler):
            @follows_get
            def get(self) -> None:
                """Answer without a check."""


class Foreign(RequestHandler):
    def get(self) -> None:
        self.finish()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda app: app.add_handlers(".*", [("/x", Foreign)]),
        lambda app: app.add_handlers(".*", [("/x", Foreign, {"resource": WhoamiHandler})]),
        lambda app: app.add_handlers(".*", [("/x", Delivery)]),
        lambda app: app.add_handlers(".*", [("/x", Delivery, {"resource": Foreign})]),
        lambda app: app.add_handlers(".*", [("/x/(.*)", StaticFileHandler, {"path": "/"})]),
        lambda app: app.wildcard_router.add_rules([("/x", [("/y", Foreign)])]),
        lambda app: app.wildcard_router.add_rules([("/x", lambda request: None)]),
        lambda app: app.settings.update(default_handler_class=Foreign),
        lambda app: app.settings.update(default_handler_args={"resource": Foreign}),
        lambda app: app.settings.pop("default_handler_class"),
        lambda app: app.settings.update(static_path="/"),
    ],
)
def test_an_application_with_a_route_past_the_check_is_refused(
    service: Serving, spoil: Callable[[Application], object]
) -> None:
    application = make_app(service.parts())
    check(application)
    spoil(application)
    with pytest.raises(TypeError):
        check(application)


def test_a_method_put_in_afterwards_is_refused(service: Serving) -> None:
    class Late(Handler):
        route = "/late"

        @requires(Role.READER)
        def get(self) -> Bare:
            """Do nothing."""
            return Bare(200)

    Late.post = lambda self: Bare(200)  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="post declares no role"):
        make_app(service.parts(), [Late])


def test_a_check_denies_before_it_grants(service: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong in between is counted as denied."""
    request = Request("GET", "/", {}, service.peer("reader"))
    authorize(request, Role.READER)
    assert request.authorized == ("reader", "granted")
    monkeypatch.setattr(service.gate, "decide", lambda *_: None)
    monkeypatch.setattr(type(service.gate), "generation", -1)
    with pytest.raises(AttributeError):
        authorize(request, Role.READER)
    assert request.authorized == ("reader", "denied")


def test_methods_that_a_handler_answers() -> None:
    class Both(Handler):
        route = "/both"

        @requires(Role.READER)
        def get(self) -> Bare:
            """Do nothing."""
            return Bare(200)

        @requires(Role.OPERATOR)
        def put(self) -> Bare:
            """Do nothing."""
            return Bare(200)

    assert allowed(Both) == ("GET", "HEAD", "PUT", "OPTIONS")
    assert needs(Both) == [("GET", Role.READER), ("PUT", Role.OPERATOR)]
