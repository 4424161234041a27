r"""Distinguished names with commas, as RFC 4514 and `openssl x509 -subject` write them.

RFC 4514 and RFC 2253 begin with the innermost RDN (`CN=alice,DC=cern,DC=ch`), what OpenSSL prints by default
with the outermost (`DC = ch, DC = cern, CN = alice`).

Read: escapes (`\,` and `\C3\A9`), `#` and the hexadecimal DER of the value, quoted values and `;` of
RFC 2253, spaces around separators. A name is a list of RDNs, outermost first, an RDN a list of (OID, value).
"""

import re
from collections.abc import Iterable, Sequence

from rcmon.access.der import directory_string
from rcmon.access.der.asn1 import DerReader
from rcmon.access.names.attribute_types import NAMES, oid_of

_ATTRIBUTE = re.compile(
    r"""(?P<before>\ *)(?P<type>[A-Za-z][A-Za-z0-9-]*|(?:OID\.|oid\.)?[0-2](?:\.(?:0|[1-9][0-9]*))+)
        (?P<equals>\ *=\ *)
        (?: \#(?P<hex>(?:[0-9A-Fa-f]{2})+)
          | "(?P<quoted>(?:[^"\\]|\\.)*)"
          | (?P<plain>\#(?=\ *(?:[,;+]|\Z))  # OpenSSL escapes no '#' that stands alone
                    |(?!\#)(?:\ +(?![\ ,;+]|\Z)|\\.|[^\ ,;+"\\<>])*) )
        \ *(?P<separator>[,;+]|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)", re.DOTALL)
_OUTSIDE_IN = (("C", "DC"), ("O", "L", "ST"), ("OU",))
_RANKS = {oid_of(name): rank for rank, names in enumerate(_OUTSIDE_IN) for name in names}
"""How far outside an attribute usually stands: countries and domains, organisations, units, then all else."""
_SPECIAL = frozenset(' "#+,;<=>\\')
_TO_ESCAPE = re.compile(r'^[ #]|[,+"\\<>;]| \Z')


def parse(text: str) -> list[list[tuple[str, str]]]:
    """Read a name. Raises ValueError or DerError."""
    rdns: list[list[tuple[str, str]]] = [[]]
    at, separator = 0, ","
    tight = spaced = True
    while separator:
        match = _ATTRIBUTE.match(text, at)
        if match is None:
            raise ValueError(f"no 'TYPE=value' with its special characters escaped at {text[at : at + 40]!r}")
        rdns[-1].append((oid_of(match["type"]), _value(match)))
        at, separator = match.end(), match["separator"]
        tight = tight and match["equals"] == "=" and match["before"] == ""
        spaced = spaced and match["equals"] == " = "
        if separator and separator != "+":
            rdns.append([])
    return rdns if not tight and _is_outermost_first(rdns, spaced=spaced) else rdns[::-1]


def _is_outermost_first(rdns: Sequence[Sequence[tuple[str, str]]], *, spaced: bool) -> bool:
    """Tell how a name with spaces was meant, which tools write in both orders: by what stands at its ends.

    Where they are alike, ` = ` tells that OpenSSL printed it.
    """
    first, last = (min(_RANKS.get(oid, len(_RANKS)) for oid, _ in rdn) for rdn in (rdns[0], rdns[-1]))
    return spaced if first == last else first < last


def write(rdns: Sequence[Iterable[tuple[str, str]]]) -> str:
    """Write a name as RFC 4514 demands, so that `parse` reads the same."""
    return ",".join("+".join(_attribute(*pair) for pair in rdn) for rdn in reversed(rdns))


def _attribute(oid: str, value: str) -> str:
    if oid not in NAMES:  # section 2.4: a type without a name has its value as hexadecimal DER
        return f"{oid}=#{directory_string.encode(value).hex()}"
    return f"{NAMES[oid]}={_TO_ESCAPE.sub(lambda match: chr(92) + match[0], value)}"


def _value(match: re.Match[str]) -> str:
    if match["hex"] is not None:
        values = list(DerReader(bytes.fromhex(match["hex"])).elements())
        if len(values) != 1:
            raise ValueError(f"#{match['hex']} is not one DER value")
        return directory_string.decode(*values[0])
    return _ESCAPES.sub(_unescaped, match["plain"] if match["quoted"] is None else match["quoted"])


def _unescaped(match: re.Match[str]) -> str:
    if match[1] is None:
        if match[2] not in _SPECIAL:
            raise ValueError(f"'{match[0]}' is no escape; write the character as it is, or as \\HH")
        return match[2]
    try:
        return bytes.fromhex(match[1].replace("\\", "")).decode()
    except UnicodeDecodeError:
        raise ValueError(f"{match[1]} is not UTF-8") from None
