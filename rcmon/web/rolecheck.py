"""What roles a handler's methods declare, and the refusal of a handler that leaves one out."""

from collections.abc import Callable
from typing import Any, TypeVar

from rcmon.web.auth import Guarded, Need, need_of

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
F = TypeVar("F", bound=Callable[..., Any])


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
