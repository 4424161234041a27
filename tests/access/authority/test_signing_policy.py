"""Signing policies of a hashed directory: whom they refuse, and how their files are followed."""

import subprocess
from pathlib import Path

import pytest

from rcmon.access.authority import refusal
from rcmon.access.authority.authorities import Authorities
from rcmon.access.authority.signing_policy import SigningPolicies
from tests.access import pki
from tests.access.crl_pki import chain, replace

ROOT = pki.authority(pki.name("DC=ch", "CN=Root"))
ISSUING = pki.authority(pki.name("DC=ch", "CN=Issuing"), ROOT)
ALICE = pki.entity(pki.name("DC=ch", "OU=Users", "CN=alice"), ISSUING)
MALLORY = pki.entity(pki.name("DC=org", "CN=alice"), ISSUING)


def written(authority: str, *subjects: str) -> bytes:
    patterns = " ".join(f'"{subject}"' for subject in subjects)
    return (
        f"access_id_CA X509 '{authority}'\npos_rights globus CA:sign\ncond_subjects globus '{patterns}'\n"
    ).encode()


class Directory:
    """A hashed CA directory, named by OpenSSL itself, with policies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hashes = {}
        for ca in (ROOT, ISSUING):
            pem = ca.write(path / "ca.pem")
            command = ["openssl", "x509", "-noout", "-subject_hash", "-in", pem]
            self.hashes[ca] = subprocess.run(command, check=True, capture_output=True).stdout.decode().strip()
            (path / f"{self.hashes[ca]}.0").write_bytes(ca.certificate_pem)
        self.authorities = Authorities(path)
        self.policies = SigningPolicies(self.authorities)

    def file(self, ca: pki.Credential) -> Path:
        return self.path / f"{self.hashes[ca]}.signing_policy"

    def put(self, ca: pki.Credential, content: bytes) -> None:
        replace(self.file(ca), content)
        self.refresh()

    def refresh(self) -> None:
        self.authorities.refresh()
        self.policies.refresh()

    def reason(self, credential: pki.Credential) -> str | None:
        found = self.policies.refusal(chain(credential, ROOT), 0.0)
        return found.reason if found else None


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    directory = Directory(tmp_path)
    directory.put(ROOT, written("/DC=ch/CN=Root", "/DC=ch/CN=Issuing"))
    directory.put(ISSUING, written("/DC=ch/CN=Issuing", "/DC=ch/OU=Users/*"))
    return directory


def test_a_subject_outside_its_cas_namespace_is_refused(directory: Directory) -> None:
    assert directory.reason(ALICE) is None
    assert directory.reason(MALLORY) == refusal.NAMESPACE
    found = directory.policies.refusal(chain(MALLORY, ROOT), 0.0)
    assert found is not None
    assert found.message == "the signing policy of /DC=ch/CN=Issuing does not allow /DC=org/CN=alice"


def test_proxies_are_not_asked_for_and_what_is_below_them_is(directory: Directory) -> None:
    assert directory.reason(pki.proxy(pki.proxy(ALICE))) is None
    assert directory.reason(pki.proxy(MALLORY)) == refusal.NAMESPACE


def test_an_intermediate_ca_outside_its_cas_namespace_is_refused(directory: Directory) -> None:
    directory.put(ROOT, written("/DC=ch/CN=Root", "/DC=ch/OU=Users/*"))
    assert directory.reason(ALICE) == refusal.NAMESPACE


def test_a_change_counts_from_the_next_refresh(directory: Directory) -> None:
    generation = directory.policies.generation
    directory.refresh()
    assert directory.policies.generation == generation
    directory.put(ISSUING, written("/DC=ch/CN=Issuing", "/DC=org/*"))
    assert directory.policies.generation == generation + 1
    assert (directory.reason(ALICE), directory.reason(MALLORY)) == (refusal.NAMESPACE, None)


def test_a_ca_without_a_policy_is_refused_where_others_have_one(directory: Directory) -> None:
    directory.file(ISSUING).unlink()
    directory.refresh()
    assert directory.reason(ALICE) == refusal.POLICY_MISSING
    directory.file(ROOT).unlink()
    directory.refresh()
    assert directory.reason(MALLORY) is None


def test_a_policy_of_another_ca_grants_nothing(directory: Directory) -> None:
    directory.put(ISSUING, written("/DC=ch/CN=Root", "/DC=ch/OU=Users/*"))
    assert directory.reason(ALICE) == refusal.NAMESPACE


def test_a_malformed_policy_refuses_its_ca(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    directory.put(ROOT, written("/DC=ch/CN=Root", "/DC=ch/CN=Issuing"))
    directory.put(ISSUING, b"access_id_CA X509 \xff")
    assert directory.reason(ALICE) == refusal.POLICY_UNUSABLE
    assert directory.policies.reloads.errors == (
        f"{directory.file(ISSUING)}: is not UTF-8: octet 0xff at 18",
    )
    directory.put(ISSUING, written("/DC=ch/CN=Issuing", "/DC=ch/OU=Users/*"))
    assert (directory.reason(ALICE), directory.policies.reloads.errors) == (None, ())


def test_a_malformed_new_policy_is_refused_and_the_old_one_stays(directory: Directory) -> None:
    directory.put(ISSUING, b"access_id_CA\n")
    assert (directory.reason(ALICE), directory.reason(MALLORY)) == (None, refusal.NAMESPACE)
    assert directory.policies.reloads.errors == (
        f"{directory.file(ISSUING)}, line 1: expected 'X509', found the end of the file",
    )


def test_two_names_of_one_file_are_one_and_two_files_both_count(directory: Directory) -> None:
    """As in a directory with the old and the new hashes of OpenSSL."""
    for kind in ("0", "signing_policy"):
        name = f"{directory.hashes[ISSUING]}.{kind}"
        (directory.path / f"0123abcd.{kind}").symlink_to(name)
    directory.refresh()
    assert (directory.reason(ALICE), directory.reason(MALLORY)) == (None, refusal.NAMESPACE)
    (directory.path / "0123abcd.signing_policy").unlink()
    (directory.path / "0123abcd.signing_policy").write_bytes(written("/DC=ch/CN=Issuing", "/DC=org/*"))
    directory.refresh()
    assert (directory.reason(ALICE), directory.reason(MALLORY)) == (refusal.NAMESPACE, refusal.NAMESPACE)


def test_a_link_to_nowhere_is_no_policy(directory: Directory) -> None:
    (directory.path / "0123abcd.signing_policy").symlink_to("nowhere")
    directory.refresh()
    assert directory.reason(ALICE) is None
    assert directory.authorities.trusted.errors == {}


def test_without_a_directory_there_are_no_policies(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(ROOT.certificate_pem)
    (tmp_path / "00000000.signing_policy").write_bytes(b"rubbish")
    authorities = Authorities(tmp_path / "ca.pem")
    policies = SigningPolicies(authorities)
    first = policies.refusal(chain(MALLORY, ROOT), 0.0)
    assert first is not None
    assert first.reason == refusal.NOT_LOADED
    authorities.refresh()
    policies.refresh()
    assert policies.refusal(chain(MALLORY, ROOT), 0.0) is None
