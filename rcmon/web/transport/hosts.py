"""Under which names the service may be asked: a page that has another name point here gets nothing."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence

_WRITTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{0,5}))?")
"""A name or an address, and a port (RFC 9110, 7.2)."""
_PORTS = 65535
_NOBODYS = (".localhost", ".localdomain", ".local", ".internal", ".svc")
"""Ends of names that no registry gives away: machines, clusters (Kubernetes) and clouds use them inside."""
ANY = "*"
"""Among the names of the configuration: every name is ours."""


class Hosts:
    """The names under which the service may be asked.

    They are `names()`, which the server's certificate is for and which may change, and `more`; `*.NAME`
    stands for one label before NAME. Addresses, names of one label and those that only an inner network
    knows are always among them: no site of the world has one of these.
    """

    def __init__(self, names: Callable[[], Sequence[str]], more: Iterable[str]) -> None:
        self._names, self._more = names, tuple(map(_plain, more))
        self._made_of: Sequence[str] | None = None
        self._all: frozenset[str] = frozenset()

    def knows(self, name: str) -> bool:
        """Tell whether a name, as `name_of` gives it, is one of ours."""
        names = self._names()
        if names is not self._made_of:
            self._made_of, self._all = names, frozenset((*map(_plain, names), *self._more))
        ours = self._all
        _, _, rest = name.partition(".")
        return name in ours or not rest or f"*.{rest}" in ours or ANY in ours or _is_always_ours(name)

    def accepts(self, host: str) -> bool:
        """Tell whether a Host field is well-formed and names this service."""
        name = name_of(host)
        return name is not None and self.knows(name)


def name_of(host: str) -> str | None:
    """Read the name, in lower case, of a Host field; None where it is empty, no host, or has no such port."""
    match = _WRITTEN.fullmatch(host)
    if match is None or not 0 < int(match[2] or 1) <= _PORTS:
        return None
    if match[1].startswith("[") and not _is_address(match[1]):
        return None
    return _plain(match[1]) or None


def _is_always_ours(name: str) -> bool:
    return name.endswith(_NOBODYS) or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _plain(name: str) -> str:
    return name.strip().lower().removesuffix(".")
