"""The VOMS attributes of a chain's proxies, verified against the site's vomsdir.

As VOMS' own libraries do, only the proxy nearest the client that carries attributes is read: whoever made it
chose what to hand on. An attribute is verified when its certificate was signed by a server that
`vomsdir/VO/HOST.lsc` names, whose certificate leads to a trusted CA and is not revoked, and when it was made
for this user and is valid now.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from pathlib import Path

from rcmon.access.authority.authorities import Authorities
from rcmon.access.authority.refusal import ChainRule
from rcmon.access.authority.voms.attribute_certificate import (
    AttributeCertificate,
    read_attribute_certificates,
    target_hosts,
)
from rcmon.access.authority.voms.fqan import Fqan, VomsError
from rcmon.access.authority.voms.lsc import matches, read_lsc
from rcmon.access.authority.voms.path import path_to_trusted
from rcmon.access.chain import Chain, ChainLink
from rcmon.access.der import oids
from rcmon.access.der.signatures import SignatureError, verify
from rcmon.errors import RcmonError
from rcmon.files.follower import FileSet
from rcmon.files.reloads import Reloads
from rcmon.files.stamp import NOWHERE, Stamp, stamp_of

CLOCK_SKEW = 300.0
"""Seconds by which an attribute certificate may come from the future: VOMS allows as much."""
SHOWN = 5
"""Hosts that a message names at most."""
UNDERSTOOD = {
    oids.AC_TARGETING,
    oids.VOMS_CERTIFICATES,
    oids.NO_REV_AVAIL,
    oids.AUTHORITY_KEY_IDENTIFIER,
    oids.VOMS_GENERIC_ATTRIBUTES,
}


class VomsAttributes:
    """Reads and verifies VOMS attributes.

    `vomsdir` None: none can be verified. `hosts` are this service's names, for attribute certificates that
    are meant for certain hosts only. `refresh` belongs to one thread at a time; `fqans` may be called
    meanwhile. `generation` grows when an answer of `fqans` may have changed otherwise than by `rules`.
    """

    def __init__(
        self,
        vomsdir: Path | None,
        authorities: Authorities,
        rules: Sequence[ChainRule] = (),
        hosts: Collection[str] = (),
    ) -> None:
        self._vomsdir = vomsdir
        self._authorities = authorities
        self._rules = tuple(rules)
        self._hosts = frozenset(host.lower() for host in hosts)
        self.reloads = Reloads("voms")
        self._files = FileSet(read_lsc)
        self._changes = 0

    @property
    def generation(self) -> int:
        """Changes of vomsdir and of the trusted CAs so far."""
        return self._changes + self._authorities.generation

    def refresh(self, *, again: bool = False) -> bool | None:
        """Read the `.lsc` files that changed; see `Reloads.tell`. Never raises."""
        if self._vomsdir is None:
            return None
        before, errors = self._files.values(), []
        try:
            self._files.refresh(_list(self._vomsdir))
        except OSError as error:
            errors.append(f"{self._vomsdir}: {error.strerror}")
        news = before != self._files.values()
        if news:
            self._changes += 1
        self.reloads.warn([warning for file in self._files.values().values() for warning in file.warnings])
        return self.reloads.tell(errors + sorted(self._files.errors().values()), news=news, again=again)

    def in_use(self) -> Hashable:
        """Give something that is equal where the files say the same."""
        return frozenset(self._files.values().items())

    def fqans(self, chain: Chain, now: float) -> tuple[Fqan, ...]:
        """List the attributes of a verified chain (leaf first), verified or with the reason why not."""
        carried, entity = _carried(chain)
        if carried is None or entity is None:
            return ()
        try:
            certificates = read_attribute_certificates(carried)
        except RcmonError as error:
            return (Fqan("", verified=False, reason=f"the attribute certificate cannot be read: {error}"),)
        return tuple(fqan for each in certificates for fqan in self._judge(each, entity, now))

    def _judge(self, certificate: AttributeCertificate, entity: ChainLink, now: float) -> list[Fqan]:
        try:
            not_after, reason = self._verify(certificate, entity, now), None
        except RcmonError as error:
            not_after, reason = certificate.not_after, str(error)
        return [Fqan(value, reason is None, reason, not_after) for value in certificate.fqans]

    def _verify(self, certificate: AttributeCertificate, entity: ChainLink, now: float) -> float:
        """Hold that an attribute certificate is good for this user now; until when. Raises RcmonError."""
        if certificate.holder_serial != entity.fields.serial or certificate.holder not in (
            entity.issuer,
            entity.subject,
        ):
            raise VomsError(f"it was made for another certificate than that of {entity.subject}")
        if not certificate.not_before - CLOCK_SKEW <= now < certificate.not_after:
            raise VomsError("the attribute certificate is expired or not yet valid")
        self._check_extensions(certificate)
        path = self._path(certificate, now)
        if path[0].subject != certificate.issuer:
            raise VomsError(f"it names {certificate.issuer} as its issuer, not {path[0].subject}")
        try:
            verify(path[0].certificate, certificate.algorithm, certificate.signed, certificate.signature)
        except SignatureError as error:
            raise VomsError(f"the attribute certificate proves nothing: {error}") from error
        return min(certificate.not_after, *(link.fields.not_after for link in path))

    def _check_extensions(self, certificate: AttributeCertificate) -> None:
        for oid, extension in certificate.extensions.items():
            if extension.critical and oid not in UNDERSTOOD:
                raise VomsError(f"the critical extension {oid} is not understood")
        if oids.NO_REV_AVAIL not in certificate.extensions:
            raise VomsError("it might have been revoked: it lacks the extension noRevAvail")
        if oids.AC_TARGETING in certificate.extensions:
            targets = target_hosts(certificate.extensions[oids.AC_TARGETING])
            if not targets & self._hosts:
                raise VomsError(f"it is meant for other hosts: {sorted(targets)[:SHOWN]}")

    def _path(self, certificate: AttributeCertificate, now: float) -> Chain:
        """Lead from the server that signed to a trusted CA, if the site trusts that server for the VO."""
        if self._vomsdir is None:
            raise VomsError("no vomsdir is configured (--vomsdir)")
        path = self._vomsdir / certificate.vo / f"{certificate.host}.lsc"
        file = self._files.values().get(path)
        if file is None:
            raise VomsError(f"there is no usable {path}: the server is not trusted for this VO")
        if not certificate.certificates:
            raise VomsError("it does not hold the certificate of the server that signed it")
        if not matches(file.chains, certificate.certificates):
            raise VomsError(f"the server's certificates are not those that {path} names")
        found = path_to_trusted(certificate.certificates, self._authorities.trusted, now)
        for rule in self._rules:
            if refused := rule.refusal(found, now):
                raise VomsError(f"the server's certificate is refused: {refused.message}")
        return found


def _carried(chain: Chain) -> tuple[bytes | None, ChainLink | None]:
    """Find the VOMS extension nearest the client, and the end entity."""
    carried = None
    for link in chain:
        if link.proxy is None:
            return carried, link
        extension = link.fields.extensions.get(oids.VOMS_EXTENSION)
        if carried is None and extension is not None:
            carried = extension.value
    return None, None


def _list(vomsdir: Path) -> Mapping[Path, Stamp]:
    stamps: dict[Path, Stamp] = {}
    for directory in sorted(vomsdir.iterdir()):
        if directory.is_dir():
            stamps |= {path: stamp_of(path) for path in sorted(directory.glob("*.lsc"))}
    return {path: stamp for path, stamp in stamps.items() if stamp != NOWHERE}
