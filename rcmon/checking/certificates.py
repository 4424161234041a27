"""Certificates and lists: the server's own, the CAs of the clients, and their revocation lists."""

import ipaddress
import socket
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from rcmon.access.authority.crl import CrlMode
from rcmon.access.authority.rules import Rules
from rcmon.access.chain import read_link
from rcmon.access.handshake.credential import Credential, load_credential
from rcmon.checking.report import Report
from rcmon.checking.start import missing, rule_files
from rcmon.config import Config
from rcmon.demo.pki import AUTHORITY_NAME
from rcmon.timestamps import iso

_DAY = 86400.0
_SOON = 14 * _DAY
"""A certificate that ends sooner is told: time enough to ask for another."""
_NAMED = 3
"""CAs that are named in one line."""
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared, not listened on


def examine_certificates(config: Config, report: Report) -> Sequence[x509.Certificate]:
    """Examine all of them; returns the CAs of the clients, none where they cannot be read."""
    now = time.time()
    if lacking := missing(config):
        report.error(lacking)
    if config.tls_cert is not None and config.tls_key is not None:
        with report.refusing():
            own = load_credential(Path(config.tls_cert), Path(config.tls_key))
            _examine_own(config, report, own, now)
    found: list[x509.Certificate] = []
    if config.tls_ca is not None:
        with report.refusing(), report.listening("rcmon"):
            found += _examine_authorities(config, report, now)
    return found


def _examine_own(config: Config, report: Report, own: Credential, now: float) -> None:
    what = f"server certificate {config.tls_cert}"
    certificate = own.certificates[0]
    begins = certificate.not_valid_before_utc.timestamp()
    until = f"until {iso(own.not_after)}"
    if now >= own.not_after:
        report.warn(f"{what}: expired at {iso(own.not_after)}: every client will refuse it")
    elif now < begins:
        report.warn(f"{what}: valid from {iso(begins)} on: until then every client will refuse it")
    elif own.not_after - now < _SOON:
        report.warn(f"{what}: expires in {(own.not_after - now) / _DAY:.0f} days, at {iso(own.not_after)}")
    _examine_names(config, report, what, own)
    if not config.demo and _common_name(certificate.issuer) == AUTHORITY_NAME:
        report.warn(f"{what}: issued by the demo's CA, which is good for the demo alone")
    report.tell(f"certificate: {certificate.subject.rfc4514_string()}, {until}")


def _examine_names(config: Config, report: Report, what: str, own: Credential) -> None:
    """Hold that clients find in the certificate the name by which they come."""
    names = [name.lower() for name in own.host_names]
    addresses = own.addresses
    if not names and not addresses:
        report.warn(f"{what}: holds no host name (subjectAltName): every client will refuse it")
        return
    everywhere = config.host in _EVERYWHERE
    host = (socket.getfqdn() if everywhere else config.host).lower()
    if everywhere and "." not in host:
        return  # a container's name, by which nobody comes
    try:
        fits = ipaddress.ip_address(host) in addresses
    except ValueError:
        fits = any(_covers(name, host) for name in names)
    if not fits:
        shown = ", ".join([*names, *map(str, addresses)][:5])
        report.warn(f"{what}: is for {shown}; clients that come by the name {host} will refuse it")


def _covers(pattern: str, host: str) -> bool:
    """Tell whether a name of a certificate is a host's, by RFC 6125: a star is the whole first label."""
    if pattern.startswith("*."):
        return host.partition(".")[2] == pattern[2:]
    return pattern == host


def _examine_authorities(config: Config, report: Report, now: float) -> Sequence[x509.Certificate]:
    """Examine the CAs and their lists. Raises ConfigError where there is no CA."""
    rules = Rules(rule_files(config))
    rules.refresh(now, lambda: None)
    found = rules.authorities()
    for authority in found:
        if authority.not_valid_after_utc.timestamp() <= now:
            name, end = authority.subject.rfc4514_string(), iso(authority.not_valid_after_utc.timestamp())
            report.warn(f"CA {name}: expired at {end}: its users are refused")
        if not config.demo and _common_name(authority.subject) == AUTHORITY_NAME:
            report.warn(
                f"--tls-ca {config.tls_ca}: trusts the demo's CA, whose keys lie in the state directory"
            )
    _examine_lists(config, report, rules, found, now)
    return found


def _examine_lists(
    config: Config, report: Report, rules: Rules, found: Sequence[x509.Certificate], now: float
) -> None:
    lists = rules.lists.status()
    for status in lists:
        if status.error is not None and str(status.file) == config.tls_crl_file:
            report.error(f"revocation lists {status.file}: {status.error}")
        if status.next_update is not None and status.next_update <= now:
            since = iso(status.next_update)
            report.warn(
                f"revocation list {status.file}: overdue since {since}: users of {status.issuer} are refused"
            )
    if config.tls_crl == CrlMode.REQUIRE:
        have = {status.issuer for status in lists}
        subjects = Counter(str(read_link(each.public_bytes(Encoding.DER)).subject) for each in found)
        lacking = sorted(subject for subject in subjects if subject not in have)
        if lacking:
            named = "; ".join(lacking[:_NAMED]) + ("; …" if len(lacking) > _NAMED else "")
            what = f"--tls-crl require: {len(lacking)} CAs have no revocation list"
            report.warn(f"{what}, so their users are refused: {named}")
    report.tell(
        f"CAs of the clients: {len(found)}, revocation lists: {sum(s.issuer is not None for s in lists)}"
    )


def _common_name(name: x509.Name) -> str | None:
    found = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else None
