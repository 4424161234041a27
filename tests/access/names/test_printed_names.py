"""Every name that OpenSSL, VOMS and Globus print is read back as the same name."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rcmon.access.authority.signing_policy import parse_signing_policy
from rcmon.access.names.dn import Dn
from tests.access import pki
from tests.anything import examples
from tests.servers import need

ROOT = pki.authority(pki.name("DC=ch", "CN=CA"))
LINE = re.compile(r"(?:subject|issuer|identity)\s*[:=]\s?(.*)")
FORMS = {
    "compat": ["-nameopt", "compat"],
    "RFC2253": ["-nameopt", "RFC2253"],
    "RFC2253 in UTF-8": ["-nameopt", "RFC2253,-esc_msb,utf8"],
    "oneline": ["-nameopt", "oneline"],
    "oneline in UTF-8": ["-nameopt", "oneline,-esc_msb,utf8"],
    "default": [],
    "default of OpenSSL 3.2": ["-nameopt", "oneline,-space_eq,-esc_msb,utf8"],
}
"""What `openssl x509 -subject` is told."""

OUTER = [NameOID.DOMAIN_COMPONENT, NameOID.ORGANIZATION_NAME]
INNER = [NameOID.COMMON_NAME, NameOID.USER_ID, NameOID.EMAIL_ADDRESS, NameOID.SERIAL_NUMBER]
ANY = [*OUTER, *INNER, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.GIVEN_NAME]


def is_told_apart(value: str) -> bool:
    r"""Leave out what X509_NAME_oneline prints like something else: `\xHH`, and a backslash at the end."""
    return not re.search(r"\\x[0-9A-Fa-f]{2}|\\\Z", value)


TRICKY = st.text(alphabet="/+=\\,;\"'#<> xCN.12aé", min_size=1, max_size=12)
PLAIN = st.text(
    alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x2FF, exclude_categories=["Cc"]), max_size=32
)
VALUES = (TRICKY | PLAIN.filter(bool)).filter(is_told_apart)


def attributes(types: list[x509.ObjectIdentifier]) -> st.SearchStrategy[x509.RelativeDistinguishedName]:
    pairs = st.tuples(st.sampled_from(types), VALUES)
    sets = st.lists(pairs, min_size=1, max_size=2, unique_by=lambda pair: pair[0])
    return sets.map(
        lambda chosen: x509.RelativeDistinguishedName(
            [x509.NameAttribute(oid, value, _ASN1Type.UTF8String, _validate=False) for oid, value in chosen]
        )
    )


NAMES = st.builds(
    lambda first, middle, last: x509.Name([first, *middle, last]),
    attributes(OUTER),
    st.lists(attributes(ANY), max_size=3),
    attributes(INNER),
)
"""As grids' names are: countries, domains and organisations outside, persons and hosts inside."""


def named(*rdns: str | list[str]) -> x509.Name:
    return pki.name("DC=org", *rdns)


def of(name: x509.Name) -> Dn:
    return Dn.from_der(name.public_bytes())


def printed(command: list[str], pem: bytes = b"", cas: Path = Path("/nowhere")) -> list[str]:
    """Run a tool that shows a certificate, or a proxy whose CAs are in a directory; its lines."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(cas), "X509_CERT_DIR": str(cas)}
    done = subprocess.run(command, input=pem, capture_output=True, check=True, timeout=300, env=environment)
    return done.stdout.decode().splitlines()


@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=NAMES)
@example(name=named("CN=host/mon.example.org"))
@example(name=pki.name("C=CH", "O=Grid", "C=FR", "CN=Zoë"))
@example(name=named(["CN=host/mon.example.org", "UID=a+b"], "CN=1+2=3"))
@example(name=named("CN=a/CN=root", "CN=b+CN=root"))
@example(name=named("CN= both ends ", 'O=a, "b" \\ c; <d> #e = f', "CN=#1", "CN=\\/", "CN=Zoë"))
@pytest.mark.parametrize("form", FORMS)
def test_what_openssl_prints_is_read_back_as_the_same_name(form: str, name: x509.Name) -> None:
    certificate = pki.entity(name, ROOT)
    lines = printed(["openssl", "x509", "-noout", "-subject", *FORMS[form]], certificate.certificate_pem)
    (text,) = (LINE.fullmatch(line)[1] for line in lines)  # type: ignore[index]
    assert Dn.parse(text) == of(name), text


INFO = [
    [tool, "-file", "FILE", f"-{what}"]
    for tool in ("voms-proxy-info", "grid-proxy-info")
    for what in ("subject", "issuer", "identity")
]


@pytest.mark.parametrize("command", INFO, ids=lambda command: f"{command[0]} {command[-1]}")
@pytest.mark.parametrize(
    "name",
    [
        named("CN=Alice Example"),
        named("CN=host/mon.example.org"),
        named("CN=a+b", "CN=1,2;3"),
        named("O=CERN/IT", "CN=Robot: a/b, c + d"),
        named('CN=O\'Brien "Pat"', "emailAddress=pat@example.org"),
        named("CN=Zoë"),
    ],
    ids=lambda name: str(of(name)),
)
def test_what_voms_and_globus_print_is_read_back_as_the_same_name(
    command: list[str], name: x509.Name, tmp_path: Path
) -> None:
    user = pki.entity(name, ROOT, key=pki.rsa_key(2048))
    proxy = pki.proxy(user)
    path = proxy.write(tmp_path / "proxy.pem")
    pki.add_to_directory(tmp_path / "cas", ROOT)
    tool, *options = (word.replace("FILE", str(path)) for word in command)
    (line,) = printed([str(need(tool)), *options], cas=tmp_path / "cas")
    expected = of(proxy.certificate.subject) if command[-1] == "-subject" else of(name)
    assert Dn.parse(line) == expected


@pytest.mark.parametrize("quoted", ["'\"{}\"'", "'{}'", '"{}"'], ids=["both", "single", "double"])
@settings(max_examples=examples(20), deadline=None)
@given(name=NAMES)
@example(name=named("CN=host/mon.example.org"))
@example(name=named("CN=a/CN=root", "CN=b+CN=root"))
def test_a_signing_policy_may_hold_what_openssl_prints(quoted: str, name: x509.Name) -> None:
    certificate = pki.entity(name, ROOT)
    (line,) = printed(
        ["openssl", "x509", "-noout", "-subject", "-nameopt", "compat"], certificate.certificate_pem
    )
    text = line.removeprefix("subject=")
    escapes = re.sub(r"\\(?:[/+]|x[0-9A-F]{2})", "", text)
    if text != text.strip() or any(c in escapes for c in "'\"*\\"):
        return  # such need an escape of the file's own
    (policy,) = parse_signing_policy(
        f"access_id_CA X509 '/CN=x'\npos_rights globus CA:sign\ncond_subjects globus {quoted.format(text)}\n"
    )
    assert policy.allows(of(name)), text
    assert not policy.allows(of(named("CN=other")))
