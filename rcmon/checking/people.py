"""The roles file: who may read at all, and entries that can match nobody."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from rcmon.access.chain import read_link
from rcmon.access.names.dn import Dn
from rcmon.access.roles import Grant, Role, RoleTable
from rcmon.checking.report import Report
from rcmon.config import Config

_OF_PROXIES = frozenset({"proxy", "limited proxy"})
"""Common names that legacy proxies end with, which are never let in."""


def examine_roles(config: Config, report: Report, authorities: Sequence[x509.Certificate]) -> None:
    """Examine them against the CAs of the clients."""
    with report.refusing():
        table = RoleTable.load(Path(config.roles_file))
        for warning in _warnings(config, table, authorities):
            report.warn(f"roles file {config.roles_file}: {warning}")
        people = Counter(grant.role for grants in table.grants.values() for grant in grants)
        report.tell(
            "people: " + (", ".join(f"{role} {people[role]}" for role in Role if people[role]) or "none")
        )


def _warnings(config: Config, table: RoleTable, authorities: Sequence[x509.Certificate]) -> Iterator[str]:
    yield from table.warnings
    if not table.grants:
        yield "nobody holds a role, so nobody may read"
    subjects = {read_link(each.public_bytes(Encoding.DER)).subject for each in authorities}
    for (kind, value), grants in table.grants.items():
        shown = f"{kind}:{value}"
        if kind == "fqan":
            yield from _unknown_vo(config, shown, str(value))
        if isinstance(value, Dn) and _names_a_proxy(value):
            yield f"{shown} names a proxy and matches nobody: name the certificate that it was made from"
        yield from _unknown_issuers(shown, grants, subjects)


def _unknown_vo(config: Config, shown: str, fqan: str) -> Iterator[str]:
    """Tell of an attribute that no VOMS server can vouch for."""
    if config.vomsdir is None:
        yield f"{shown} matches nobody: without --vomsdir no VOMS attribute is believed"
        return
    organisation = fqan.split("/")[1]
    if not any(Path(config.vomsdir, organisation).glob("*.lsc")):
        yield f"{shown} matches nobody: {config.vomsdir}/{organisation} holds no .lsc file"


def _unknown_issuers(shown: str, grants: Sequence[Grant], subjects: set[Dn]) -> Iterator[str]:
    for grant in grants:
        if subjects and grant.issuer is not None and grant.issuer not in subjects:
            yield f"{shown} matches nobody: its issuer {grant.issuer} is not among the CAs of the clients"


def _names_a_proxy(name: Dn) -> bool:
    return any(value.lower() in _OF_PROXIES for _, value in name.rdns[-1])
