"""One entry of a roles file: whom it names, and by which CA that one must have been issued.

`KIND:VALUE` with one of KINDS. As a table {subject = "KIND:VALUE", issuer = "dn:…", agents = ["…"]} it is
bound to an issuer, or names agents that may be reported for, or both. Each kind turns its value to what is
looked up, so that two ways of writing are one.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from rcmon.access.authority.voms.fqan import VomsError, normalise
from rcmon.access.names.attribute_types import NAMES
from rcmon.access.names.dn import Dn, DnError
from rcmon.errors import ConfigError

Key = tuple[str, Dn | str]
"""Kind and value, as looked up."""

_HOST = re.compile(r"(?=.{1,253}\Z)(?!(?:.*\.)?[0-9]+\Z)(?!-)[a-z0-9_-]{1,63}(?:\.(?!-)[a-z0-9_-]{1,63})*")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_AGENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
"""An agent is named as its source is."""
_TABLE = {"subject", "issuer", "agents"}
_OUTERMOST = {"C", "DC"}
_ISSUER_KIND = "dn:"


class Entry(Struct, frozen=True):
    """Whom an entry names; `issuer` None: whichever trusted CA issued the certificate."""

    key: Key
    issuer: Dn | None = None
    agents: frozenset[str] = frozenset()
    """Agents that may be reported for."""


def read_entry(raw: object) -> Entry:
    """Read one entry as TOML gives it. Raises ConfigError."""
    if isinstance(raw, str):
        return Entry(_key(raw))
    if not isinstance(raw, dict) or not _fits(raw):
        raise ConfigError(
            f'{raw!r} is neither "KIND:VALUE" nor {{subject = "KIND:VALUE", issuer = "dn:…"}}'
            ' nor, for the role agent, {subject = "KIND:VALUE", agents = ["NAME", …]}'
        )
    return Entry(_key(raw["subject"]), _issuer(raw), frozenset(_agents(raw)))


def _fits(table: Mapping[str, object]) -> bool:
    """Tell whether a table has the keys of an entry, with texts where texts belong."""
    texts = [value for key, value in table.items() if key != "agents"]
    known = "subject" in table and len(table) > 1 and table.keys() <= _TABLE
    return known and all(isinstance(text, str) for text in texts)


def _issuer(table: Mapping[str, str]) -> Dn | None:
    issuer = table.get("issuer")
    if issuer is None:
        return None
    if not issuer.startswith(_ISSUER_KIND):
        raise ConfigError(f'issuer {issuer!r} of {table["subject"]!r} is not of the form "dn:/DC=ch/…"')
    return _dn(issuer.removeprefix(_ISSUER_KIND))


def _agents(table: Mapping[str, object]) -> Iterator[str]:
    """Read the names of agents; without them there are none."""
    agents = table.get("agents", ())
    whose = f"agents of {table['subject']!r}"
    if "agents" in table and (not isinstance(agents, list) or not agents):
        raise ConfigError(f'{whose}: {agents!r} is not a list of names such as ["vocms0254"]')
    for name in agents:  # type: ignore[attr-defined]
        if not isinstance(name, str) or not _AGENT.fullmatch(name):
            raise ConfigError(
                f"{whose}: {name!r} is not an agent's name; that is its source's: letters, digits, '.', '_',"
                " '-', no patterns"
            )
        yield name


def _key(text: str) -> Key:
    kind, colon, value = text.partition(":")
    if not colon or kind not in KINDS:
        raise ConfigError(f"{text!r} does not begin with one of {', '.join(f'{known}:' for known in KINDS)}")
    return kind, KINDS[kind](value)


def _dn(text: str) -> Dn:
    try:
        dn = Dn.parse(text)
    except DnError as error:
        raise ConfigError(str(error)) from error
    if not text.startswith("/") and _is_outside_in(dn):
        meant = Dn(dn.rdns[::-1]).rfc4514()
        raise ConfigError(
            f"{text!r} has its outermost part first; with commas the innermost comes first: {meant}"
        )
    return dn


def _is_outside_in(dn: Dn) -> bool:
    """Tell whether a name with commas was written outermost first, as `openssl x509 -subject` prints it."""
    first, last = ({oid for oid, _ in rdn} for rdn in (dn.rdns[0], dn.rdns[-1]))
    return "CN" in {NAMES.get(oid) for oid in first} and not _OUTERMOST.isdisjoint(map(NAMES.get, last))


def _host(text: str) -> str:
    if not _HOST.fullmatch(text.lower()):
        raise ConfigError(f"{text!r} is not a host name; patterns and IP addresses grant nothing here")
    return text.lower()


def _uri(text: str) -> str:
    if not _URI.fullmatch(text):
        raise ConfigError(f"{text!r} is not a URI such as spiffe://example.org/scraper")
    return text


def _fqan(text: str) -> str:
    try:
        return normalise(text)
    except VomsError as error:
        raise ConfigError(f"{error}, as VOMS attributes are") from error


KINDS: Mapping[str, Callable[[str], Dn | str]] = {
    "dn": _dn,
    "dns": _host,
    "uri": _uri,
    "dn-under": _dn,
    "fqan": _fqan,
}
"""What an entry may begin with: a subject; a DNS or URI alternative name; a subtree; a VOMS attribute."""
