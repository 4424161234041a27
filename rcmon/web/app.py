"""The application: the table of all handlers, and the refusal of any route that escapes the role check."""

import re
from collections.abc import Iterator, Sequence

from tornado.routing import Rule, URLSpec
from tornado.web import Application, RequestHandler

from rcmon.web.about import BASE
from rcmon.web.answers.compress import Gzip
from rcmon.web.api.catalog import Resource, Taken
from rcmon.web.auth import label
from rcmon.web.base import Handler
from rcmon.web.handlers import agents, findings, index, metrics, moved, page, sites, static, status, whoami
from rcmon.web.handlers.notfound import NotFoundHandler
from rcmon.web.rolecheck import allowed, check_roles, needs
from rcmon.web.services import Parts, make_services

TABLE: tuple[type[Handler], ...] = (
    *page.HANDLERS,
    *index.HANDLERS,
    *status.HANDLERS,
    *whoami.HANDLERS,
    *metrics.HANDLERS,
    *sites.HANDLERS,
    *agents.HANDLERS,
    *findings.HANDLERS,
    *moved.HANDLERS,
    *static.HANDLERS,
)
"""Every resource there is."""


def make_app(parts: Parts, table: Sequence[type[Handler]] = TABLE) -> Application:
    """Build the application. Raises TypeError for a route that bypasses the role check."""
    application = Application(
        [URLSpec(pattern(handler.route), handler) for handler in table],
        transforms=[Gzip],  # what compress_response=True installs, made stricter
        default_handler_class=NotFoundHandler,
        cross_origin_protection=True,
        services=make_services(parts, tuple(resource for handler in table for resource in describe(handler))),
    )
    check(application)
    return application


def routes(table: Sequence[type[Handler]] = TABLE) -> tuple[str, ...]:
    """List the routes as they label metrics and the access log."""
    return tuple(handler.route for handler in table)


def short_routes(table: Sequence[type[Handler]] = TABLE) -> dict[str, type[Handler]]:
    """Map the paths that the short way may answer to their handlers."""
    return {
        BASE + handler.route: handler for handler in table if handler.immediate and "{" not in handler.route
    }


def pattern(route: str) -> str:
    """Make a route's regular expression; `{name}` is one segment of the path, not empty."""
    parts = re.split(r"\{([a-z]+)\}", route)
    written = "".join(re.escape(part) if i % 2 == 0 else f"(?P<{part}>[^/]+)" for i, part in enumerate(parts))
    return re.escape(BASE) + ("/?" if route == "/" else written)


def describe(handler: type[Handler]) -> Iterator[Resource]:
    """Describe a handler; one whose methods need different roles is as many endpoints."""
    declared = {name: label(need) for name, need in needs(handler) if need is not None}
    first = next(iter(declared.values()))
    taken = tuple(Taken(parameter.name, parameter.allowed) for parameter in handler.reader.parameters)
    for role in dict.fromkeys(declared.values()):
        # HEAD and OPTIONS follow the first method's role
        methods = tuple(name for name in allowed(handler) if declared.get(name, first) == role)
        yield Resource(BASE + handler.route, methods, role, handler.summary, taken)


def check(application: Application) -> None:
    """Raise TypeError unless every route, and the answer where none matches, leads to a checked handler."""
    if application.settings.get("static_path"):
        raise TypeError("static_path adds a handler without a role check: serve files by StaticHandler")
    default = application.settings.get("default_handler_class")
    for target in (*_targets(application.default_router.rules), default):
        if not (isinstance(target, type) and issubclass(target, Handler)):
            raise TypeError(f"a route leads to {target!r}, which is no Handler of rcmon and checks no role")
        _hold_methods(target)


def _targets(rules: Sequence[Rule]) -> Iterator[object]:
    for rule in rules:
        inner = getattr(rule.target, "rules", None)
        if inner is None:
            yield rule.target
        else:
            yield from _targets(inner)


def _hold_methods(handler: type[RequestHandler]) -> None:
    """Check once more: a method may have been put in after the class was made."""
    check_roles(handler)
