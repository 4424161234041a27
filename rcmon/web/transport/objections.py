"""What is refused of a request's head before any parser reads it: what two servers might read differently.

A front end that ends a body elsewhere than we do takes bytes of one client for another's request.
"""

import re

from msgspec import Struct

from rcmon.web.transport.hosts import Hosts, name_of
from rcmon.web.transport.targets import Absolute, absolute

_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_SHOWN = 64
"""Characters that are repeated of what a client sent."""


class Objection(Struct, frozen=True):
    """Why a request is not served."""

    reason: str
    """One of `rcmon.telemetry.own.REQUEST_REFUSALS`."""
    status: int
    detail: str


class _Framing(Struct):
    """Of the fields those that say where a request ends, and for whom it is."""

    names: list[bytes]
    lengths: list[bytes]
    codings: list[bytes]
    hosts: list[bytes]


def objection(head: bytes, hosts: Hosts) -> Objection | None:
    """Tell what is wrong with a head; None: nothing that is looked for here."""
    if _LINE_END.search(head):
        return Objection(
            "line_end", 400, "Every line of a head ends in CR LF, and holds neither beside that."
        )
    first, *lines = head.lstrip(b"\r\n").split(b"\r\n")
    method, _, rest = first.partition(b" ")
    target, _, version = rest.rpartition(b" ")
    fields = _fields(lines)
    return (
        _of_start(method, target)
        or _of_names(fields.names)
        or _of_framing(fields, version)
        or _of_hosts(fields.hosts, version)
        or _of_host(fields.hosts, absolute(target), hosts)
    )


def _fields(lines: list[bytes]) -> _Framing:
    fields = _Framing([], [], [], [])
    kept = {
        b"content-length": fields.lengths,
        b"transfer-encoding": fields.codings,
        b"host": fields.hosts,
    }
    for line in lines:
        name, _, value = line.partition(b":")
        fields.names.append(name)
        known = kept.get(name.lower())
        if known is not None:
            known.append(value.strip(b" \t"))
    return fields


def _of_start(method: bytes, target: bytes) -> Objection | None:
    if method == b"CONNECT":
        return Objection("method", 501, "CONNECT is not served: this is no proxy.")
    if target == b"*" and method != b"OPTIONS":
        return Objection("target", 400, "The target * is for OPTIONS alone; name a path, such as /.")
    if not target or target == b"*" or target.startswith(b"/"):
        return None
    address = absolute(target)
    if address is None:
        return Objection(
            "target", 400, f"The target {_shown(target)} is no path: it must begin with a slash."
        )
    if address.scheme != b"https":
        detail = f"The target {_shown(target)} is not of this service, which is asked by https alone."
        return Objection("foreign_host", 421, detail)
    return None


def _of_names(names: list[bytes]) -> Objection | None:
    odd = next((name for name in names if b"_" in name), None)
    if odd is None:
        return None
    detail = f"The name of the field {_shown(odd)} has an underscore, which some take for a hyphen."
    return Objection("field_name", 400, detail)


def _of_framing(fields: _Framing, version: bytes) -> Objection | None:
    if len(fields.lengths) > 1 or any(b"," in length for length in fields.lengths):
        return Objection("length", 400, "Content-Length must be there once, with one number.")
    if fields.codings and version == b"HTTP/1.0":
        return Objection("framing", 400, "HTTP/1.0 has no Transfer-Encoding; send a Content-Length.")
    if fields.codings and fields.lengths:
        detail = "A request has either Content-Length or Transfer-Encoding: with both nobody knows its end."
        return Objection("framing", 400, detail)
    return None


def _of_hosts(given: list[bytes], version: bytes) -> Objection | None:
    if len(given) == 1 or (not given and version == b"HTTP/1.0"):
        return None
    return Objection("host", 400, f"A request has one Host field; this one has {len(given)}.")


def _of_host(given: list[bytes], address: Absolute | None, hosts: Hosts) -> Objection | None:
    """Look at the host that counts last: that of the target, where it has one (RFC 9112, 3.2.2)."""
    name = ""
    told = [*given, address.authority] if address else given
    for host in told:
        name = name_of(host.decode("latin-1")) or ""
        if not name:
            detail = f"The Host {_shown(host)} is no name or address with a port from 1 to 65535 behind it."
            return Objection("host", 400, detail)
    if told and not hosts.knows(name):
        detail = (
            f"This service is not {_shown(told[-1])}: ask it by a name of its certificate or by its address;"
            " the option --allowed-hosts lets it have more names."
        )
        return Objection("foreign_host", 421, detail)
    return None


def _shown(text: bytes) -> str:
    written = text.decode("latin-1")
    return repr(written if len(written) <= _SHOWN else written[:_SHOWN] + "\u2026")
