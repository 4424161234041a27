"""The application: the table of all handlers, and the refusal of any route that escapes the role check."""

import functools
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tornado.routing import Rule, URLSpec
from tornado.web import Application

from rcmon.web.about import BASE, About
from rcmon.web.answers.compress import Gzip
from rcmon.web.api.catalog import Resource, Taken
from rcmon.web.api.contract import PAGE, Given, Operation, PathPart, QueryPart, body_of, given_by
from rcmon.web.auth import allowed, check_roles, label, need_for, needs
from rcmon.web.base import Handler
from rcmon.web.delivery import Delivery, finished
from rcmon.web.handlers import (
    about_page,
    agent_page,
    agents,
    docs,
    drift,
    events,
    findings,
    findings_page,
    history,
    index,
    journal,
    journal_page,
    metrics,
    moved,
    openapi,
    overrides,
    overrides_page,
    overview,
    page,
    quarantine_page,
    reports,
    runbooks,
    site_page,
    sites,
    static,
    status,
    steering,
    whoami,
    why,
    workflows,
)
from rcmon.web.handlers.notfound import NotFoundHandler
from rcmon.web.services import Handbook, Parts, Services, make_handbook, make_services
from rcmon.web.transport.state import ShortRoute

Table = Sequence[type[Handler]]
TABLE: Table = (
    *page.HANDLERS,
    *site_page.HANDLERS,
    *agent_page.HANDLERS,
    *findings_page.HANDLERS,
    *journal_page.HANDLERS,
    *quarantine_page.HANDLERS,
    *overrides_page.HANDLERS,
    *about_page.HANDLERS,
    *index.HANDLERS,
    *openapi.HANDLERS,
    *status.HANDLERS,
    *whoami.HANDLERS,
    *metrics.HANDLERS,
    *overview.HANDLERS,
    *sites.HANDLERS,
    *history.HANDLERS,
    *workflows.HANDLERS,
    *journal.HANDLERS,
    *drift.HANDLERS,
    *agents.HANDLERS,
    *reports.HANDLERS,
    *why.HANDLERS,
    *findings.HANDLERS,
    *events.HANDLERS,
    *overrides.HANDLERS,
    *steering.HANDLERS,
    *moved.HANDLERS,
    *runbooks.HANDLERS,
    *docs.HANDLERS,
    *static.HANDLERS,
)
"""Every resource there is."""

_OPTIONS = Given(statuses=(204,))
_PARTS: Mapping[str, str] = {
    "site": "A site's name, such as T1_US_FNAL.",
    "agent": "An agent's name.",
    "finding": "A finding's `id`.",
    "change": "The number of a change of overrides.",
    "id": "The `id` of what is held.",
    "runbook": "The name of an alert or a kind of finding.",
    "chapter": "The name of a chapter of the documentation.",
    "name": "The name of a file that a page names.",
}
"""What stands in the paths."""


def make_app(parts: Parts, table: Table = TABLE) -> Application:
    """Build the application. Raises TypeError for a route that bypasses the role check."""
    application = Application(
        [URLSpec(pattern(handler), Delivery, {"resource": handler}) for handler in table],
        transforms=[Gzip],  # what compress_response=True installs, made stricter
        default_handler_class=Delivery,
        default_handler_args={"resource": NotFoundHandler},
        log_function=finished,
        cross_origin_protection=True,
        services=make_services(parts),
    )
    check(application)
    return application


def handbook(about: About, table: Table = TABLE) -> Handbook:
    """Write what is told of all resources."""
    return make_handbook(
        about,
        tuple(resource for handler in table for resource in describe(handler)),
        tuple(one for handler in table for one in operations(handler)),
    )


def routes(table: Table = TABLE) -> tuple[str, ...]:
    """List the routes as they label metrics and the access log."""
    return tuple(handler.route for handler in table)


def short_routes(services: Services, table: Table = TABLE) -> dict[str, ShortRoute]:
    """Map the paths that the short way may answer to what answers. Raises TypeError for a coroutine."""
    return {address(handler): _short(handler, services) for handler in table if handler.immediate}


def _short(handler: type[Handler], services: Services) -> ShortRoute:
    check_roles(handler)
    get = getattr(handler, "get", None)
    if get is None or "{" in handler.route or inspect.iscoroutinefunction(inspect.unwrap(get)):
        raise TypeError(
            f"{handler.__qualname__}.get cannot answer at once: it awaits, or takes a path's part"
        )
    return ShortRoute(handler.route, lambda request: functools.partial(get, handler.of(request, services)))


def address(handler: type[Handler]) -> str:
    """Tell where a handler answers, with `{name}` for a part of the path."""
    return handler.outside or BASE + handler.route


def pattern(handler: type[Handler]) -> str:
    """Make a handler's regular expression; `{name}` is one segment of the path, not empty.

    A slash at the end may be left out.
    """
    parts = re.split(r"\{([a-z]+)\}", address(handler))
    written = "".join(re.escape(part) if i % 2 == 0 else f"(?P<{part}>[^/]+)" for i, part in enumerate(parts))
    return f"{written}?" if handler.route.endswith("/") else written


def describe(handler: type[Handler]) -> Iterator[Resource]:
    """Describe a handler; one whose methods need different roles is as many endpoints."""
    declared = {name: label(need) for name, need in needs(handler) if need is not None}
    first = next(iter(declared.values()))
    taken = tuple(
        Taken(parameter.name, parameter.allowed, parameter.schema) for parameter in handler.reader.parameters
    )
    for role in dict.fromkeys(declared.values()):
        # HEAD and OPTIONS follow the first method's role
        methods = tuple(name for name in allowed(handler) if declared.get(name, first) == role)
        yield Resource(address(handler), methods, role, handler.summary, taken)


def operations(handler: type[Handler]) -> Iterator[Operation]:
    """Describe every method of a handler, for machines."""
    where = address(handler)
    parts = tuple(PathPart(name, _PARTS.get(name, "")) for name in re.findall(r"\{([a-z]+)\}", where))
    query = tuple(QueryPart(one.name, one.allowed, one.schema, one.many) for one in handler.reader.parameters)
    for method in allowed(handler):
        written = getattr(handler, "get" if method == "HEAD" else method.lower())
        said = inspect.getdoc(written) or handler.summary
        options = method == "OPTIONS"
        yield Operation(
            path=where,
            method=method,
            identifier=method.lower() + handler.__name__.removesuffix("Handler"),
            role=label(need_for(handler, method)),
            summary=handler.summary,
            meaning=said.partition("\n")[0],
            parts=parts,
            query=() if options else query,
            given=_OPTIONS if options else given_by(written) or PAGE,
            body=body_of(written),
            page=not handler.route.startswith("/api"),
        )


def check(application: Application) -> None:
    """Raise TypeError unless every route, and the answer where none matches, leads to a checked handler."""
    settings = application.settings
    if settings.get("static_path"):
        raise TypeError("static_path adds a handler without a role check: serve files by StaticHandler")
    targets = [*_targets(application.default_router.rules)]
    targets.append((settings.get("default_handler_class"), settings.get("default_handler_args")))
    for target, arguments in targets:
        handler = (arguments or {}).get("resource")
        if target is not Delivery or not (isinstance(handler, type) and issubclass(handler, Handler)):
            raise TypeError(f"a route leads to {target!r} with {arguments}, which checks no role")
        check_roles(handler)  # once more: a method may have been put in after the class was made


def _targets(rules: Sequence[Rule]) -> Iterator[tuple[object, dict[str, Any] | None]]:
    for rule in rules:
        inner = getattr(rule.target, "rules", None)
        if inner is None:
            yield rule.target, rule.target_kwargs
        else:
            yield from _targets(inner)
