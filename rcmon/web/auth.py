"""Who may call what: the role decorator, which every method of every handler carries.

A handler whose method leaves it out is refused.
"""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, Final, Literal, ParamSpec, TypeVar

from msgspec import Struct

from rcmon.access.gate import Decision
from rcmon.access.roles import Role
from rcmon.web.answers.problems import Problem
from rcmon.web.transport.peer import Peer
from rcmon.web.transport.request import Request

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

ANYONE: Final = "any"
"""In place of a role: whoever proved an identity, with or without a role."""
Need = Role | Literal["any"]


class Guarded(Struct, eq=False):
    """What the check needs of the handler whose method it guards."""

    request: Request

    def read_query(self) -> None:
        """Read the query; Problem 400 where it holds what is not understood."""

    def admit(self, *parts: str, **named: str) -> None:
        """Hold that who asks, and has the role, may have this very resource; Problem 403 otherwise.

        `named` are the parts of the path. It is asked before any method, and before a body is read.
        """


H = TypeVar("H", bound=Guarded)


def requires(need: Need) -> Callable[[Callable[Concatenate[H, P], R]], Callable[Concatenate[H, P], R]]:
    """Let a handler method run only for a role; whoever lacks it gets a 403 that says what was seen.

    The query is read behind the check, so that who has no role learns nothing of what is allowed.
    """

    def decorate(method: Callable[Concatenate[H, P], R]) -> Callable[Concatenate[H, P], R]:
        @functools.wraps(method)
        def checked(self: H, /, *args: P.args, **kwargs: P.kwargs) -> R:
            authorize(self.request, need)
            if type(self).admit is not Guarded.admit:
                self.admit(*args, **kwargs)  # type: ignore[arg-type]  # parts of a path are texts
            if self.request.query_arguments:
                self.read_query()
            return method(self, *args, **kwargs)

        checked.required_role = need  # type: ignore[attr-defined]
        return checked

    return decorate


def need_of(method: object) -> Need | None:
    """Tell the role that a method declares; None: it declares none."""
    need: Any = getattr(method, "required_role", None)
    return need if need == ANYONE or isinstance(need, Role) else None


def label(need: Need) -> str:
    """Name a role as metrics and the index do."""
    return need.value if isinstance(need, Role) else need


_DENIED: dict[Need, tuple[str, str]] = {need: (label(need), "denied") for need in (*Role, ANYONE)}
_GRANTED: dict[Need, tuple[str, str]] = {need: (label(need), "granted") for need in (*Role, ANYONE)}


def authorize(request: Request, need: Need) -> None:
    """Raise Problem 403 unless who asks has the role now; notes the outcome in `request.authorized`."""
    request.authorized = _DENIED[need]
    decision = request.peer.decision()
    if decision.refusal is not None:
        told = decision.message or decision.refusal
        raise refused(request.peer, f"This certificate is not accepted (any more): {told}.", decision, need)
    if need != ANYONE and need not in decision.roles:
        detail = (
            f"This needs the role {label(need)}, which {request.peer.identity.subject} does not have; "
            "who runs this service can grant it in the roles file."
        )
        raise refused(request.peer, detail, decision, need)
    request.authorized = _GRANTED[need]


def refused(peer: Peer, detail: str, decision: Decision, need: Need) -> Problem:
    """Say what was seen and what is missing."""
    return Problem(
        403,
        detail,
        subject=str(peer.identity.subject),
        issuer=str(peer.identity.issuer),
        roles=sorted(role.value for role in decision.roles),
        role_missing=label(need),
    )


def not_theirs(request: Request, need: Need, detail: str, agents: list[str]) -> Problem:
    """Make the 403 of who has the role, but for other agents than this one's; notes it as a refusal."""
    request.authorized = _DENIED[need]
    return Problem(403, detail, subject=str(request.peer.identity.subject), agents=agents)


def follows_get(method: F) -> F:
    """Mark OPTIONS of the base class, which checks the role of the methods that it speaks for."""
    method.follows_get = True  # type: ignore[attr-defined]
    return method


def needs(handler: type[Guarded]) -> list[tuple[str, Need | None]]:
    """List a handler's own methods with the role that each declares; None: it declares none."""
    written = {name: getattr(handler, name.lower(), None) for name in METHODS}
    return [
        (name, need_of(method))
        for name, method in written.items()
        if method is not None and not hasattr(method, "follows_get")
    ]


def need_for(handler: type[Guarded], method: str) -> Need:
    """Tell the role that a method needs; HEAD and OPTIONS follow the first method. For allowed ones only."""
    declared: dict[str, Need] = {name: need for name, need in needs(handler) if need is not None}
    return declared[method] if method in declared else next(iter(declared.values()))


def allowed(handler: type[Guarded]) -> tuple[str, ...]:
    """List the methods that a handler answers."""
    names = {name for name, _ in needs(handler)} | {"OPTIONS"}
    return tuple(name for name in METHODS if name in names or (name == "HEAD" and "GET" in names))


def check_roles(handler: type[Guarded]) -> None:
    """Raise TypeError unless every HTTP method that a handler writes declares a role."""
    bare = [name for name, need in needs(handler) if need is None]
    bare += [name for name in METHODS if hasattr(vars(handler).get(name.lower()), "follows_get")]
    for name in bare:
        raise TypeError(
            f"{handler.__qualname__}.{name.lower()} declares no role: decorate it with @requires(Role.…)"
        )
