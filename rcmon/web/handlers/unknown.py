"""The page of a name that is not there: it says so, and names what is like it."""

from collections.abc import Iterable
from typing import NoReturn

from rcmon.web.answers.problems import Problem
from rcmon.web.base import Handler
from rcmon.web.handlers.framed import frame
from rcmon.web.page.near import near
from rcmon.web.page.paths import agent_page, site_page


def refuse(handler: Handler, kind: str, name: str, known: Iterable[str], at: str = "") -> NoReturn:
    """Raise the Problem 404 of a site or an agent that nobody knows; `kind`: site or agent."""
    path = site_page if kind == "site" else agent_page
    every = list(known)
    alike = [(one, path(one, at=at)) for one in near(name, every)]
    when = f"at {at}" if at else "in the newest snapshot"
    detail = f"There is no {kind} {name[:200]!r} {when}."
    body = handler.services.pages.show(
        "unknown.html",
        frame(handler, "overview"),
        kind=kind,
        sought=name[:200],
        when=when,
        near=alike,
        known=len(every),
    )
    raise Problem(404, detail, page=body, kind=kind, name=name[:200])
