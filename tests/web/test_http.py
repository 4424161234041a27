"""What every resource does alike: codings, conditions, methods, errors, header fields."""

import gzip
from typing import NoReturn

import msgspec
import pytest
from tornado.httpclient import HTTPResponse

from rcmon.access.roles import Role
from rcmon.web.about import BASE
from rcmon.web.app import TABLE, make_app, pattern, routes, short_routes
from rcmon.web.auth import allowed, requires
from rcmon.web.base import Handler
from rcmon.web.handlers.agents import BacklogHandler
from rcmon.web.handlers.moved import MovedHandler
from rcmon.web.handlers.reports import ReportHandler
from rcmon.web.handlers.sites import SitesHandler
from rcmon.web.handlers.steering import ControlHandler
from tests.web.serving import Serving
from tests.web.test_auth import ENDING, path_of

HERE = [handler for handler in ENDING if not issubclass(handler, MovedHandler)]
"""What answers itself, and with no other address."""
LATER = (ReportHandler, ControlHandler)
"""What is there once it was pushed, or once a control file lets agents be told something."""
READ = [handler for handler in HERE if "GET" in allowed(handler) and handler not in LATER]
"""What can be read of any snapshot."""
API = [handler for handler in READ if handler.route == "/api" or handler.route.startswith("/api/")]
"""What is for programs: the others are pages for people and their parts."""
MOMENTARY = ("/", "/about", "/api/metrics")
"""These tell the process's own figures of the moment."""
NEVER_TWICE = "/about"
"""This tells for how long the service runs, whatever stays for a test."""
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def problem(answer: HTTPResponse) -> dict[str, object]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body.endswith(b"}\n")
    read = msgspec.json.decode(answer.body)
    assert read["status"] == answer.code
    assert read["type"] == "about:blank"
    assert {"title", "detail", "instance"} <= read.keys()
    return dict(read)


async def test_every_answer_in_both_codings(service: Serving) -> None:
    for handler in ENDING:
        path = path_of(handler)
        plain = await service.ask(path)
        packed = await service.ask(path, Accept_Encoding="gzip")
        assert "Content-Encoding" not in plain.headers
        assert "Accept-Encoding" in plain.headers["Vary"]
        assert plain.headers["Vary"] == packed.headers["Vary"]
        assert int(packed.headers["Content-Length"]) == len(packed.body)
        if len(plain.body) < 1024:
            assert "Content-Encoding" not in packed.headers
            continue
        assert packed.headers["Content-Encoding"] == "gzip", path
        assert packed.headers["Etag"] != plain.headers["Etag"]
        if handler.route not in MOMENTARY:
            assert gzip.decompress(packed.body) == plain.body, path


@pytest.mark.usefixtures("answers_last")
async def test_every_answer_has_a_condition(service: Serving) -> None:
    for handler in READ:
        path = path_of(handler)
        for accepted in ("identity", "gzip"):
            first = await service.ask(path, Accept_Encoding=accepted)
            etag = first.headers["Etag"]
            assert etag.startswith('"')
            assert first.headers["Cache-Control"] == "private, no-cache"
            if path == NEVER_TWICE:
                continue
            again = await service.ask(path, Accept_Encoding=accepted, If_None_Match=f'"other", W/{etag}')
            assert again.code == 304, path
            assert again.body == b""
            assert again.headers["Etag"] == etag
            assert again.headers["Vary"] == first.headers["Vary"]
            assert "Content-Type" not in again.headers
            changed = await service.ask(path, Accept_Encoding=accepted, If_None_Match='"other"')
            assert changed.code == 200


async def test_an_etag_of_the_other_coding_is_no_match(service: Serving) -> None:
    packed = await service.ask("/api/sites", Accept_Encoding="gzip")
    answer = await service.ask("/api/sites", If_None_Match=packed.headers["Etag"])
    assert answer.code == 200


@pytest.mark.usefixtures("answers_last")
async def test_head_is_get_without_its_body(service: Serving) -> None:
    for path in [*map(path_of, READ), "/api/sites?tier=T1", "/api/sites?format=csv", "/api/status?pretty"]:
        for accepted in ("identity", "gzip"):
            get = await service.ask(path, Accept_Encoding=accepted)
            head = await service.ask(path, method="HEAD", Accept_Encoding=accepted)
            assert head.code == get.code == 200
            assert head.body == b""
            for field in ("Content-Type", "Etag", "Vary", "Content-Encoding"):
                if (path, field) == (NEVER_TWICE, "Etag"):
                    continue
                # what a stream is compressed to is known only when it is made
                if field != "Content-Encoding" or "?" not in path:
                    assert head.headers.get(field) == get.headers.get(field), (path, field)
            if path != NEVER_TWICE:
                assert head.headers.get("Content-Length") in (get.headers["Content-Length"], None)


async def test_options_and_405_name_the_methods(service: Serving) -> None:
    for handler in TABLE:
        methods = allowed(handler)
        options = await service.ask(path_of(handler), "admin", method="OPTIONS")
        assert options.code == 204
        assert options.headers["Allow"] == ", ".join(methods)
        assert options.headers["Cache-Control"] == "no-store"
        for method in {"POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - {*methods}:
            answer = await service.ask(path_of(handler), "admin", method=method, body=b"")
            assert answer.code == 405, (handler.route, method)
            assert answer.headers["Allow"] == ", ".join(methods)
            assert problem(answer)["allowed"] == [*methods]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api/",
        "/api/status/",
        "/api/sites/",
        "/api/agents/",
        "/api/agents/vocms0281/nothing",
        "/static/",
        "/static/../about.py",
        "/static/style.css/x",
        "//wm_resource_monitorx",
        "//api/status",
        "//etc/passwd",
    ],
)
async def test_what_is_not_there(service: Serving, path: str) -> None:
    for method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS"):
        answer = await service.ask(path, method=method, body=b"" if method == "POST" else None)
        assert answer.code == 404
    assert f"{BASE}/api lists" in str(problem(await service.ask(path))["detail"])


async def test_unknown_names_are_named(service: Serving) -> None:
    answer = problem(await service.ask("/api/sites/T9_XX_Nowhere"))
    assert (answer["status"], answer["site"]) == (404, "T9_XX_Nowhere")
    for ending in ("", "/thresholds", "/backlog"):
        answer = problem(await service.ask(f"/api/agents/n%C3%B6body{ending}"))
        assert (answer["status"], answer["agent"]) == (404, "nöbody")
        assert "vocms0281" in answer["agents"]  # type: ignore[operator]
        assert answer["instance"] == f"{BASE}/api/agents/n%C3%B6body{ending}"
    for name in ("other.css", "%2e%2e%2fabout.py", "..%5cabout.py"):
        assert problem(await service.ask(f"/static/{name}"))["status"] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/sites/T1%00",
        "/api/sites/T1%0d%0aX-Injected:%201",
        "/static/a%00",
        "/%7f",
        "/api/agents/%1b[2J/thresholds",
        "/api/sites/%ff",
    ],
)
async def test_control_characters_and_bad_encodings_are_400(service: Serving, path: str) -> None:
    answer = await service.ask(path)
    assert answer.code == 400
    problem(answer)
    assert "X-Injected" not in answer.headers


async def test_an_unknown_parameter_is_400_everywhere(service: Serving) -> None:
    for handler in TABLE:
        if "GET" not in allowed(handler):
            continue
        answer = await service.ask(f"{path_of(handler)}?nonsense=5")
        if handler not in API and answer.headers["Content-Type"].startswith("text/html"):
            assert (answer.code, b"nonsense" in answer.body) == (400, True)
            continue
        answer = problem(answer)
        assert (answer["status"], answer["parameter"], answer["value"]) == (400, "nonsense", "5")
        assert answer["allowed"] == [parameter.name for parameter in handler.reader.parameters]


async def test_pretty_indents_and_holds_the_same(service: Serving) -> None:
    for handler in API:
        path = path_of(handler)
        if "pretty" not in [parameter.name for parameter in handler.reader.parameters]:
            continue
        plain, pretty = await service.ask(path), await service.ask(f"{path}?pretty")
        assert plain.headers["Content-Type"] == pretty.headers["Content-Type"] == "application/json"
        assert msgspec.json.decode(plain.body) == msgspec.json.decode(pretty.body)
        assert plain.body.endswith(b"}\n")
        assert plain.body.count(b"\n") == 1
        assert pretty.body.endswith(b"\n}\n")
        assert pretty.body == msgspec.json.format(plain.body, indent=2) + b"\n"


async def test_no_coding_is_acceptable(service: Serving) -> None:
    for path in ("/api/status", "/api/metrics", "/api/sites", "/"):
        answer = problem(await service.ask(path, Accept_Encoding="br, *;q=0"))
        assert answer["status"] == 406
        assert answer["allowed"] == ["gzip", "identity"]


async def test_before_the_first_snapshot(empty_service: Serving) -> None:
    for path in ("/api/sites", "/api/sites?tier=T1", "/api/sites/T1_US_FNAL", "/api/agents", "/api/findings"):
        answer = await empty_service.ask(path)
        assert problem(answer)["status"] == 503
        assert answer.headers["Retry-After"] == "5"
    for path in ("/", "/api", "/api/status", "/api/metrics", "/api/whoami"):
        assert (await empty_service.ask(path)).code == 200


async def test_an_unexpected_error_tells_nothing_of_the_inside(
    service: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Handler):
        route = "/failing"

        @requires(Role.READER)
        def get(self) -> NoReturn:
            raise LookupError("password=secret")

    service.server.request_callback = make_app(service.parts(), [Failing])
    answer = await service.ask("/failing")
    assert problem(answer)["status"] == 500
    assert b"secret" not in answer.body
    assert b"Traceback" not in answer.body
    assert "password=secret" in caplog.text  # the log does tell


async def test_a_browser_gets_a_page_for_an_error(service: Serving) -> None:
    for path, persona, code in (("/nothing", "reader", 404), ("/", "stranger", 403)):
        answer = await service.ask(path, persona, Accept=BROWSER)
        assert answer.code == code
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.body.startswith(b"<!DOCTYPE html>")
        assert answer.headers["Vary"] == "Accept, Accept-Encoding"


async def test_an_error_page_escapes_what_the_client_sent(service: Serving) -> None:
    answer = await service.ask("/api/sites?state=%3Cscript%3Ealert(1)%3C/script%3E", Accept="text/html")
    assert answer.code == 400
    assert b"<script" not in answer.body
    assert b"&lt;script&gt;" in answer.body


async def test_a_large_error_is_compressed_too(service: Serving) -> None:
    answer = await service.ask(f"/{'x' * 2000}", Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert msgspec.json.decode(gzip.decompress(answer.body))["status"] == 404
    refused = await service.ask(f"/{'x' * 2000}", Accept_Encoding="gzip;q=0")
    assert "Content-Encoding" not in refused.headers


async def test_no_answer_names_a_version_and_every_one_is_guarded(service: Serving) -> None:
    answers = [await service.ask(path_of(handler)) for handler in ENDING]
    answers += [await service.ask("/api/events", method="HEAD")]
    answers += [await service.ask(path) for path in ("/nothing", "/api/sites?x", "/static/%00")]
    answers += [await service.ask("/api/status", "stranger"), await service.ask("/api", method="DELETE")]
    for answer in answers:
        assert answer.headers["Server"] == "rcmon"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "ornado" not in str(answer.headers)


async def test_a_cross_site_change_is_refused(service: Serving) -> None:
    answer = await service.ask("/api/status", method="POST", body=b"", Sec_Fetch_Site="cross-site")
    assert answer.code == 403
    problem(answer)


async def test_no_resource_takes_a_body_but_those_that_say_so(service: Serving) -> None:
    for handler in TABLE:
        if handler.max_body:
            continue
        answer = await service.ask(path_of(handler), body=b"x" * 5000)
        assert answer.code == 413, handler
        problem(answer)


async def test_both_forms_of_the_base(service: Serving) -> None:
    with_slash, without = await service.ask("/"), await service.ask("")
    assert with_slash.code == without.code == 200
    assert with_slash.headers["Content-Type"] == without.headers["Content-Type"]


def test_routes_are_whole_and_segments_not_empty() -> None:
    assert pattern(BacklogHandler).endswith("/api/agents/(?P<agent>[^/]+)/backlog")
    assert len(set(routes())) == len(TABLE)


async def test_what_the_short_way_may_answer(service: Serving) -> None:
    """Only what answers at once from ready bytes, at a path without parts."""
    paths = short_routes(service.services)
    assert set(paths) == {
        f"{BASE}/api",
        f"{BASE}/api/openapi.json",
        f"{BASE}/api/status",
        f"{BASE}/api/metrics",
        f"{BASE}/api/sites",
        f"{BASE}/api/agents",
        f"{BASE}/api/openapi.json",
        f"{BASE}/api/overview",
    }
    assert paths[f"{BASE}/api/sites"].route == SitesHandler.route
