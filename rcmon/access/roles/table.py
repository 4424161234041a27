"""The table of who holds which role (`conf/roles.toml`)."""

import re
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from rcmon.access.identity import Identity
from rcmon.access.names.dn import Dn
from rcmon.access.names.slash import has_loose_ends
from rcmon.access.roles.entries import Entry, Key, read_entry
from rcmon.access.roles.role import IMPLIED, NO_ROLES, Role
from rcmon.errors import ConfigError
from rcmon.files.reading import OWN, FileError, parse_toml, read_text

_NAME = re.compile(r"""["']dn(?:-under)?:(/(?:\\.|[^"'\\])*)["']""")
"""A name in slash form as it stands in a roles file."""
_MAX_SIZE = 16 * 1024 * 1024
NO_AGENTS: frozenset[str] = frozenset()


class Grant(Struct, frozen=True):
    """A role for whom an entry names; `issuer` None: whichever trusted CA issued the certificate."""

    role: Role
    issuer: Dn | None
    agents: frozenset[str] = frozenset()
    """Agents that may be reported for."""


class Holding(Struct, frozen=True):
    """What an identity holds."""

    roles: frozenset[Role] = NO_ROLES
    agents: frozenset[str] = NO_AGENTS
    """Agents that it may report for by name; an admin may for any."""


class RoleTable(Struct, frozen=True):
    """Who holds which role: one look-up for each name of an identity, however long the table is."""

    grants: Mapping[Key, tuple[Grant, ...]] = {}
    in_use: Hashable = None
    """Equal where the grants are the same."""
    warnings: tuple[str, ...] = ()
    """What may not be meant as it is written, each beginning with its line, or its role."""

    @classmethod
    def load(cls, path: Path) -> "RoleTable":
        """Read a roles file. Raises ConfigError that names file, role and entry."""
        try:
            return cls.parse(read_text(path, _MAX_SIZE, OWN))
        except FileError as error:
            raise ConfigError(f"roles file {error}") from error
        except ConfigError as error:
            raise ConfigError(f"roles file {path}: {error}") from error

    @classmethod
    def parse(cls, text: str) -> "RoleTable":
        """Read the text of a roles file. Raises ConfigError."""
        grants: dict[Key, tuple[Grant, ...]] = {}
        for role, entry in _entries(text):
            grant = Grant(role, entry.issuer, entry.agents)
            known = grants.get(entry.key, ())
            if (role, entry.issuer) in {(one.role, one.issuer) for one in known}:
                raise ConfigError(f"role {role}: {entry.key[0]}:{entry.key[1]} is listed twice")
            grants[entry.key] = (*known, grant)
        warnings = (*_warnings(text), *_idle(grants))
        return cls(grants, hash(frozenset(grants.items())), warnings)

    def __len__(self) -> int:
        """Count the entries."""
        return sum(map(len, self.grants.values()))

    def held_by(self, identity: Identity, fqans: Collection[str] = ()) -> "Holding":
        """Tell an identity's roles, implied ones included, and the agents that it may report for.

        `fqans` are its verified VOMS attributes, normalised. A limited proxy has the role reader at most.
        """
        roles, agents = NO_ROLES, NO_AGENTS
        for key in _keys(identity, fqans):
            for grant in self.grants.get(key, ()):
                if grant.issuer is None or grant.issuer == identity.issuer:
                    roles |= IMPLIED[grant.role]
                    agents |= grant.agents
        if identity.limited:
            return Holding(roles & IMPLIED[Role.READER], NO_AGENTS)
        return Holding(roles, agents)


def _keys(identity: Identity, fqans: Iterable[str]) -> Iterator[Key]:
    """List every key under which an identity may stand in the table."""
    yield "dn", identity.subject
    rdns = identity.subject.rdns
    for depth in range(1, len(rdns)):
        yield "dn-under", Dn(rdns[:depth])
    for host in identity.sans.dns:
        yield "dns", host
    if identity.uri is not None:
        yield "uri", identity.uri
    for fqan in fqans:
        yield "fqan", fqan


def _warnings(text: str) -> Iterator[str]:
    """Tell of names that end in white space. TOML's reader gives no lines, so that they are looked for."""
    for number, line in enumerate(text.splitlines(), 1):
        for name in () if line.lstrip().startswith("#") else _NAME.findall(line):
            if has_loose_ends(name):
                yield (
                    f"line {number}: {name!r} has white space at the end of a value, which counts;"
                    " leave it out, or write it as \\x20"
                )


def _idle(grants: Mapping[Key, tuple[Grant, ...]]) -> Iterator[str]:
    """Tell of entries of the role agent that may report for nobody."""
    for key, held in grants.items():
        if any(grant.role is Role.AGENT and not grant.agents for grant in held):
            yield (
                f"role agent: {key[0]}:{key[1]} names no agents, and may report for none;"
                ' add agents = ["NAME"]'
            )


def _entries(text: str) -> Iterator[tuple[Role, Entry]]:
    """Read every entry of a roles file with its role."""
    document = parse_toml(text)
    table = document.get("roles")
    if document.keys() != {"roles"} or not isinstance(table, dict):
        raise ConfigError(
            f"has {sorted(document)} at the top; one section [roles] and nothing else belongs there"
        )
    for name, entries in table.items():
        if name not in set(Role):
            raise ConfigError(f"{name!r} is not a role; roles are {', '.join(Role)}")
        if not isinstance(entries, list):
            raise ConfigError(f'role {name}: {entries!r} is not a list such as ["dn:/DC=ch/…"]')
        for entry in entries:
            yield Role(name), _entry(name, entry)


def _entry(role: str, raw: object) -> Entry:
    try:
        entry = read_entry(raw)
    except ConfigError as error:
        raise ConfigError(f"role {role}: {error}") from error
    if entry.agents and role != Role.AGENT:
        raise ConfigError(
            f"role {role}: agents of {raw['subject']!r}: only entries of the role agent name agents"  # type: ignore[index]
        )
    return entry
