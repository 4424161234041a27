"""Signing policies: what is read, and which subjects a pattern allows."""

import contextlib
import ctypes
import ctypes.util

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rcmon.access.authority.signing_policy import PolicyError, SigningPolicy, parse_signing_policy
from rcmon.access.authority.signing_policy.parse import slash_form
from rcmon.access.names.dn import Dn
from tests.access import pki

CA = "/DC=ch/DC=cern/CN=CERN Grid Certification Authority"
HEADER = f"access_id_CA X509 '{CA}'\npos_rights globus CA:sign\n"
REAL = f"""# @(#)$Id$
# CERN GridCA
access_id_CA            X509    '{CA}'
pos_rights              globus  CA:sign
cond_subjects           globus  '"/DC=ch/DC=cern/*"'
"""
TWO = """
 access_id_CA      X509         '/C=RU/O=RDIG/CN=Russian Data-Intensive Grid CA'
 pos_rights        globus        CA:sign   # what it may
 cond_subjects     globus       '"/C=RU/O=RDIG/CN=Russian Data-Intensive Grid CA" "/C=RU/O=RDIG/*"'

 access_id_CA      X509         '/C=UK/O=Other'
 pos_rights        globus        CA:sign
 cond_subjects     globus       '"/C=UK/*"'
 pos_rights        globus        CA:sign
 cond_subjects     globus       "/O=one subject/CN=x"
 cond_subjects     globus       /O=bare/*
"""


def policy(*subjects: str) -> SigningPolicy:
    return SigningPolicy(Dn.parse(CA), tuple(map(slash_form, subjects)))


def test_a_real_policy_is_read() -> None:
    assert parse_signing_policy(REAL) == (policy("/DC=ch/DC=cern/*"),)


def test_words_stand_anywhere_and_conditions_add_up() -> None:
    first, second = parse_signing_policy(TWO)
    assert first.subjects == ("/C=RU/O=RDIG/CN=Russian Data-Intensive Grid CA", "/C=RU/O=RDIG/*")
    assert (second.authority, second.subjects) == (
        Dn.parse("/C=UK/O=Other"),
        ("/C=UK/*", "/O=one subject/CN=x", "/O=bare/*"),
    )
    assert parse_signing_policy(" ".join(TWO.replace("# what it may", "").split("\n"))) == (first, second)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it holds no access_id_CA entry"),
        ("# nothing\n", "it holds no access_id_CA entry"),
        ("acces_id_CA X509 '/O=x'", "line 1: expected 'access_id_CA', found 'acces_id_CA'"),
        ("access_id_ANYBODY\n", "line 1: expected 'access_id_CA'"),
        ("\n\naccess_id_CA PGP '/O=x'", "line 3: expected 'X509', found 'PGP'"),
        ("access_id_CA X509", "expected the CA's name, found the end of the file"),
        ("access_id_CA X509 'no name'", "line 1: 'no name' is not a distinguished name"),
        ("access_id_CA X509 '/O=x", "line 1: a quotation that begins here does not end"),
        (f"access_id_CA X509 '{CA}'", "expected 'pos_rights globus CA:sign', found the end"),
        (f"access_id_CA X509 '{CA}'\nneg_rights globus CA:sign", "line 2: expected 'pos_rights"),
        (HEADER.replace("CA:sign", "CA:encrypt"), "line 2: expected 'CA:sign', found 'CA:encrypt'"),
        (HEADER, "expected 'cond_subjects globus', found the end of the file"),
        (HEADER + "cond_banned_subjects globus '\"/O=x\"'", "line 3: expected 'cond_subjects globus'"),
        (HEADER + "cond_subjects local '\"/O=x\"'", "line 3: expected 'globus', found 'local'"),
        (HEADER + "cond_subjects globus", "expected the subjects, found the end of the file"),
        (HEADER + "cond_subjects globus ''", "line 3: '' is not a subject in slash form"),
        (HEADER + "cond_subjects globus '\"\"'", "line 3: '' is not a subject"),
        (HEADER + "cond_subjects globus '\"/O=x\" /O=y'", "is not a list of subjects"),
        (HEADER + 'cond_subjects globus \'"/O=x""/O=y"\'', "is not a"),
        (HEADER + "cond_subjects globus '\"/O=*/CN=x\"'", r"line 3: '/O=\*/CN=x' is not a subject"),
        (HEADER + "cond_subjects globus '\"O=x,C=y\"'", "line 3: 'O=x,C=y' is not a subject"),
    ],
)
def test_what_is_malformed_is_named_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(PolicyError, match=reason):
        parse_signing_policy(text)


@pytest.mark.parametrize(
    ("pattern", "subject", "allowed"),
    [
        ("/DC=ch/DC=cern/*", "/DC=ch/DC=cern/OU=Users/CN=alice", True),
        ("/DC=ch/DC=cern/*", "/DC=ch/DC=cern", False),
        ("/DC=ch/DC=cern*", "/DC=ch/DC=cern", True),
        ("/DC=ch/DC=cern*", "/DC=ch/DC=cernevil/CN=x", True),
        ("/DC=ch/DC=cern/*", "/DC=ch/DC=cernevil/CN=x", False),
        ("/DC=ch/DC=cern/*", "/DC=CH/DC=cern/CN=x", False),
        ("/DC=ch/DC=cern/*", "/O=x/DC=ch/DC=cern/CN=x", False),
        ("/DC=ch/DC=cern/CN=CA", "/DC=ch/DC=cern/CN=CA", True),
        ("/DC=ch/DC=cern/CN=CA", "/DC=ch/DC=cern/CN=CA/CN=x", False),
        ("/DC=ch/DC=cern/CN=CA", "/DC=ch/DC=cern", False),
        ("*", "/O=anything", True),
        ("/O=x/Email=*", "/O=x/emailAddress=a@b", True),
        ("/O=x/E=a@b", "/O=x/emailAddress=a@b", True),
        ("/O=x/USERID=a", "/O=x/UID=a", True),
        ("/O=\\xc3\\xbc/*", "/O=ü/CN=x", True),
        ("/O=ü/*", "/O=ü/CN=x", True),
        ("/O=u/*", "/O=ü/CN=x", False),
        ("/O=x/CN=host/*", "/O=x/CN=host/node.example.org", True),
    ],
)
def test_a_pattern_is_the_subject_or_how_it_begins(pattern: str, subject: str, allowed: bool) -> None:
    assert policy(pattern).allows(Dn.parse(subject)) == allowed


def test_a_slash_inside_a_value_begins_no_attribute() -> None:
    """A name that only prints like one of the namespace lies outside it."""
    forged = Dn.from_der(pki.name("DC=ch/DC=cern", "CN=x").public_bytes())
    assert not policy("/DC=ch/DC=cern/*").allows(forged)


@pytest.mark.parametrize("written", [r"'\"/O=x/CN=O\'Brien\"'", "'\"/O=x/CN=O\\'Brien\"'"])
def test_a_backslash_escapes_a_quote(written: str) -> None:
    found = parse_signing_policy(f"{HEADER}cond_subjects globus {written}")
    assert found[0].allows(Dn.parse("/O=x/CN=O'Brien"))


def test_the_slash_form_is_that_of_openssl() -> None:
    library = ctypes.util.find_library("crypto")
    if library is None:
        pytest.skip("no libcrypto")
    crypto = ctypes.CDLL(library)
    crypto.d2i_X509_NAME.restype = ctypes.c_void_p
    crypto.X509_NAME_oneline.restype = ctypes.c_void_p
    crypto.X509_NAME_oneline.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
    crypto.X509_NAME_free.argtypes = crypto.CRYPTO_free.argtypes = (ctypes.c_void_p,)
    for rdns in (["DC=ch", "CN=a b", "emailAddress=a@b.c"], ["C=DE", "O=Universität", "UID=x'y,z"]):
        der = pki.name(*rdns).public_bytes()
        start = ctypes.c_char_p(der)
        parsed = crypto.d2i_X509_NAME(None, ctypes.byref(start), ctypes.c_long(len(der)))
        text = ctypes.string_at(crypto.X509_NAME_oneline(parsed, None, 0)).decode()
        crypto.X509_NAME_free(parsed)
        assert slash_form(str(Dn.from_der(der))) == text


@given(st.text(max_size=300))
def test_any_text_gives_policies_or_a_policy_error(text: str) -> None:
    with contextlib.suppress(PolicyError):
        parse_signing_policy(text)


@given(st.lists(st.sampled_from([*TWO.split(" "), "'", '"', "#", "\n", "\\", "*", "access_id_CA", "X509"])))
def test_any_mixture_of_its_words_gives_policies_or_a_policy_error(words: list[str]) -> None:
    with contextlib.suppress(PolicyError):
        parse_signing_policy(" ".join(words))


@given(st.data())
def test_a_changed_policy_gives_policies_or_a_policy_error(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TWO)))
    with contextlib.suppress(PolicyError):
        parse_signing_policy(
            TWO[:at] + data.draw(st.text(max_size=3)) + TWO[at + data.draw(st.integers(0, 9)) :]
        )


PLAIN = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)


@given(st.lists(PLAIN, min_size=1, max_size=5), st.lists(PLAIN, max_size=5))
def test_what_is_below_a_namespace_is_in_it(base: list[str], more: list[str]) -> None:
    namespace = "".join(f"/OU={value}" for value in base)
    written = (
        f"access_id_CA X509 '/O=CA'\npos_rights globus CA:sign\ncond_subjects globus '\"{namespace}/*\"'"
    )
    found = parse_signing_policy(written)[0]
    below = "".join(f"/CN={value}" for value in more)
    assert found.allows(Dn.parse(namespace + below)) == bool(more)
