r"""Distinguished names in slash form (`/DC=ch/DC=cern/CN=host/foo.cern.ch`), as grid software writes them.

The form is OpenSSL's X509_NAME_oneline, made unambiguous: a slash begins an attribute only where a type
and `=` follow, any other slash belongs to the value; `+` joins the attributes of a multi-valued RDN by
the same rule; `\xHH` is a byte of UTF-8. OpenSSL 3 (`-nameopt compat`) writes `\/` and `\+` for those in
values, which is read as it is meant; a backslash anywhere else is one. What OpenSSL leaves ambiguous, a value
that ends in a backslash, is written `\x5C`. A name is a list of RDNs, an RDN a list of (OID, value).
"""

import re
from collections.abc import Iterable

from rcmon.access.names.attribute_types import NAMES, oid_of

_TYPE = r"(?:[A-Za-z][A-Za-z0-9-]*|(?:OID\.)?[0-2](?:\.(?:0|[1-9][0-9]*))+)"
_ATTRIBUTE = re.compile(rf"(?<!\\)([/+])({_TYPE})=")
_SEPARATOR_IN_VALUE = re.compile(rf"[/+](?={_TYPE}=)")
_ESCAPES = re.compile(r"(?P<octets>(?:\\x[0-9A-Fa-f]{2})+)|\\(?P<separator>[/+])")
_LOOSE = re.compile(rf"=\s|\s(?:\Z|[/+]{_TYPE}=)")


def parse(text: str) -> list[list[tuple[str, str]]]:
    """Read a name in slash form. Raises ValueError."""
    starts = list(_ATTRIBUTE.finditer(text))
    if not starts or starts[0].start() != 0 or starts[0][1] != "/":
        raise ValueError("a name in slash form begins with '/TYPE=', as in '/DC=ch/DC=cern/CN=alice'")
    rdns: list[list[tuple[str, str]]] = []
    ends = [match.start() for match in starts[1:]] + [len(text)]
    for match, end in zip(starts, ends, strict=True):
        attribute = (_oid(match), _unescape(text[match.end() : end]))
        if match[1] == "/":
            rdns.append([attribute])
        else:
            rdns[-1].append(attribute)
    return rdns


def has_loose_ends(text: str) -> bool:
    """Tell whether a value begins or ends in white space that nobody sees, and that counts nevertheless."""
    return _LOOSE.search(text) is not None


def write(rdns: Iterable[Iterable[tuple[str, str]]]) -> str:
    """Write a name in slash form, so that `parse` reads the same."""
    return "".join(
        "/" + "+".join(f"{NAMES.get(oid, oid)}={_escape(value)}" for oid, value in rdn) for rdn in rdns
    )


def _oid(match: re.Match[str]) -> str:
    try:
        return oid_of(match[2])
    except ValueError as error:
        hint = f"if '{match[0]}' belongs to the value, write {_escaped(match)}{match[0][1:]}"
        raise ValueError(f"{error}; {hint}") from None


def _unescape(value: str) -> str:
    return _ESCAPES.sub(_unescaped, value)


def _unescaped(match: re.Match[str]) -> str:
    if match["separator"]:
        return match["separator"]
    try:
        return bytes.fromhex(match["octets"].replace("\\x", "")).decode()
    except UnicodeDecodeError:
        raise ValueError(f"{match['octets']} is not UTF-8") from None


def _escape(value: str) -> str:
    return _SEPARATOR_IN_VALUE.sub(_escaped, value.replace("\\", "\\x5C"))


def _escaped(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0][0]):02X}"
