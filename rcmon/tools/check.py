"""`python -m rcmon.tools.check CERT [KEY]`: whether a certificate would be let in, as whom, or why not.

It needs no running service: the TLS handshake happens in memory, against the context that the service would
build, and the same gate decides.
"""

import argparse
import logging
import os
import ssl
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rcmon.access.authority.crl import CrlMode
from rcmon.access.authority.rules import RuleFiles, Rules
from rcmon.access.chain import ChainLink
from rcmon.access.der.oids import LIMITED
from rcmon.access.gate import Decision, Gate
from rcmon.access.handshake.rehearsal import client_context, shake_hands, throw_away
from rcmon.access.handshake.tls import server_context, verified_chain
from rcmon.access.identity import Identity
from rcmon.access.roles import RoleTable
from rcmon.config import Config, load
from rcmon.errors import ConfigError, IdentityError, RcmonError
from rcmon.tools.pem import read_certificates
from rcmon.version import VERSION

LET_IN, REFUSED, UNUSABLE = 0, 1, 78
"""Exit codes: let in with a role; refused, or without any role; the configuration cannot be used."""
_UNKNOWN_CA = {2, 18, 19, 20, 21}
"""X509_V_ERR_*: OpenSSL found no way up to a trusted root."""


class RefusedError(RcmonError):
    """Why the certificate is not let in, for people."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # options of rcmon take values, which must not be taken for KEY
    split = next((at for at, word in enumerate(given) if word.startswith("-")), len(given))
    if "-h" in given or "--help" in given:
        split = len(given)
    known = _parser().parse_args(given[:split])
    logging.getLogger("rcmon").addHandler(logging.NullHandler())  # the report says what is wrong
    line = ""
    try:
        config = load(given[split:], os.environ, VERSION)
        for line in report(known.certificate, known.key or known.certificate, config):
            sys.stdout.write(f"{line}\n")
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    except RcmonError as error:
        sys.stdout.write(f"refused: {error}\n")
        return REFUSED
    return LET_IN if line.startswith("let in") else REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rcmon.tools.check",
        usage="%(prog)s CERT [KEY] [OPTION of rcmon ...]",
        description="Tell whether rcmon would let a client in, as whom and with which roles, and why not.",
        epilog="Any option of rcmon may follow, such as --config, --tls-ca, --tls-crl or --roles-file.",
    )
    parser.add_argument("certificate", metavar="CERT", type=Path, help="certificate or proxy file, PEM")
    parser.add_argument(
        "key", metavar="KEY", type=Path, nargs="?", help="its key, where CERT does not hold it"
    )
    return parser


def report(certificate: Path, key: Path, config: Config) -> Iterator[str]:
    """Go the way of a connection and say what is seen on it. Raises RcmonError where it ends."""
    if config.tls_ca is None:
        raise ConfigError("--tls-ca is not given: name the file or hashed directory of the clients' CAs")
    now = time.time()
    files = RuleFiles(
        authorities=Path(config.tls_ca),
        crl=CrlMode(config.tls_crl),
        crl_file=Path(config.tls_crl_file) if config.tls_crl_file else None,
        vomsdir=Path(config.vomsdir) if config.vomsdir else None,
        proxies=config.tls_proxies == "accept",
    )
    roles = RoleTable.load(Path(config.roles_file))
    yield from (f"warning: roles file {config.roles_file}, {warning}" for warning in roles.warnings)
    rules = Rules(files)
    rules.refresh(now, lambda: None)
    gate = Gate.by_rules(rules, roles, proxies=files.proxies, clock=lambda: now)
    context = server_context(throw_away(), rules.authorities(), proxies=files.proxies)
    for reloads in rules.reloads():
        yield from (f"warning: {text}" for text in (*reloads.errors, *reloads.warnings))
    chain = handshake(certificate, key, context)
    try:
        identity = gate.admit(chain)
    except IdentityError as error:
        raise RefusedError(f"{error} ({error.reason})") from error
    yield from described(identity, gate.decide(identity, now))


def handshake(certificate: Path, key: Path, server: ssl.SSLContext) -> list[bytes]:
    """Shake hands as the client would; return the verified chain. Raises RefusedError."""
    client = client_context()
    try:
        client.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:  # OpenSSL itself asks for the pass phrase of an encrypted key
        raise RefusedError(
            f"{certificate} and {key} cannot be used as certificate and key: {error}"
        ) from error
    try:
        chain = verified_chain(shake_hands(server, client))
    except ssl.SSLCertVerificationError as error:
        hint = _unknown_ca(certificate) if error.verify_code in _UNKNOWN_CA else ""
        raise RefusedError(f"in the TLS handshake: {error.verify_message}{hint}") from error
    except ssl.SSLError as error:
        raise RefusedError(f"in the TLS handshake: {error}") from error
    return chain or []


def _unknown_ca(certificate: Path) -> str:
    issuer = read_certificates(certificate)[-1].issuer
    return (
        f"; {issuer} is not among the trusted CAs, or {certificate} lacks the intermediate CA's certificate"
    )


def described(identity: Identity, decision: Decision) -> Iterator[str]:
    """Say who a client is, what its chain means and what it may do; the last line is the verdict."""
    yield "chain, from the client up:"
    for depth, link in enumerate(identity.chain):
        yield f"  {_kind(link, depth, identity)}: {link.subject}, until {_time(link.fields.not_after)}"
    for kind, names in (("host name", identity.sans.dns), ("URI", identity.sans.uris)):
        yield from (f"{kind}: {name}" for name in names)
    for fqan in decision.fqans:
        state = "verified" if fqan.verified else f"not verified: {fqan.reason}"
        yield f"VOMS attribute: {fqan.value} ({state})"
    who = f"{identity.subject}, issued by {identity.issuer}"
    if decision.roles:
        roles = ", ".join(sorted(decision.roles))
        yield f"let in as {who}, until {_time(identity.not_after)}, roles: {roles}"
    else:
        yield f"known as {who}, but without any role; python -m rcmon.tools.dn prints what grants one"


def _kind(link: ChainLink, depth: int, identity: Identity) -> str:
    if link.proxy is not None:
        return "limited proxy" if link.proxy.language == LIMITED else "proxy"
    return "identity" if depth == identity.proxy_depth else "CA"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


if __name__ == "__main__":
    sys.exit(main())
