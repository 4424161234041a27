"""The server's request for a certificate names the CAs, as openssl sees it over real sockets."""

import logging
import os
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import structs

from rcmon.access.handshake import ca_names
from rcmon.access.handshake.ca_names import CaNames
from tests.access import pki
from tests.access.crl_pki import crl, pem
from tests.access.https import Running, client_with, serving
from tests.access.place import ALICE, OTHER, ROOT, Place
from tests.servers import need

VERSIONS = ["-tls1_2", "-tls1_3"]
NAMED = "Acceptable client certificate CA names\n"
NOBODY = "No client certificate CA names sent"
CA, OTHER_CA = "DC = ch, CN = CA", "DC = org, CN = Other CA"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.ca_file.with_suffix(".r0").write_bytes(pem(crl(ROOT, ())))
    return place


@pytest.fixture
def running(place: Place) -> Iterator[Running]:
    with serving(place.trust()) as running:
        yield running


@pytest.fixture
def start(place: Place) -> Callable[..., list[str]]:
    """Serve with a mode and tell the names that a client is sent; it gets in, names or not."""

    def start(mode: CaNames = CaNames.AUTO, version: str = "-tls1_3") -> list[str]:
        place.files = structs.replace(place.files, ca_names=mode)
        with serving(place.trust()) as running:
            proxy = pki.proxy(ALICE).write(place.cas.parent / "proxy")
            assert running.meet(client_with(proxy)).roles == {"reader"}
            return names(running, version)

    return start


def names(running: Running, version: str) -> list[str]:
    address = f"127.0.0.1:{running.port}"
    command = [need("openssl"), "s_client", "-connect", address, version]
    environment = {**os.environ, "OPENSSL_CONF": os.devnull}
    done = subprocess.run(
        command, input="", capture_output=True, text=True, timeout=300, check=False, env=environment
    )
    if NOBODY in done.stdout:
        return []
    listed = done.stdout.partition(NAMED)[2].splitlines()
    found = [line for line in listed if line.startswith("DC = ")]
    assert found, done.stdout + done.stderr
    return found


def crowd(place: Place, count: int) -> None:
    for number in range(count):
        subject = pki.name("DC=org", "O=" + "A national grid initiative " * 2, f"CN=CA {number}")
        pki.add_to_directory(place.cas, pki.authority(subject))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_cas_are_named_also_after_a_reload(version: str, place: Place, running: Running) -> None:
    assert names(running, version) == [CA]
    pki.add_to_directory(place.cas, OTHER)
    running.check()
    assert sorted(names(running, version)) == [CA, OTHER_CA]
    (place.cas / f"{pki.subject_hash(OTHER.certificate)}.0").unlink()
    running.check()
    assert names(running, version) == [CA]


def test_a_ca_with_two_certificates_is_named_once(place: Place, start: Callable[..., list[str]]) -> None:
    again = pki.authority(ROOT.certificate.subject)
    place.ca_file.with_suffix(".1").write_bytes(again.certificate_pem)
    assert start() == [CA]


@pytest.mark.parametrize("version", VERSIONS)
def test_names_are_not_sent_where_they_are_not_wanted(version: str, start: Callable[..., list[str]]) -> None:
    assert start(CaNames.NO, version) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_many_names_are_sent_where_they_are_asked_for_only(
    version: str, place: Place, start: Callable[..., list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    crowd(place, 60)
    assert start(CaNames.AUTO, version) == []
    assert told(caplog) == 0
    assert len(start(CaNames.YES, version)) == 61


def test_more_than_clients_can_take_are_not_sent(
    place: Place,
    start: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(ca_names, "MAX_OCTETS", 1000)
    crowd(place, 20)
    assert start(CaNames.YES) == []
    assert told(caplog) == 1


def told(caplog: pytest.LogCaptureFixture) -> int:
    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    return sum("clients are not told the names of the CAs" in each for each in warnings)


def absent(*_: object) -> None:
    raise AttributeError("undefined symbol: SSL_CTX_add_client_CA")


@pytest.mark.parametrize(
    ("attribute", "value"), [("_KNOWN", ()), ("_openssl", absent)], ids=["newer Python", "no such function"]
)
def test_a_python_in_which_it_is_not_known_how_serves_without_names(
    attribute: str,
    value: object,
    start: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(ca_names, attribute, value)
    assert start() == []
    assert told(caplog) == 1


def test_no_names_are_sent_rather_than_some(
    place: Place,
    start: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A client of a CA that is left out might send nothing."""
    pki.add_to_directory(place.cas, OTHER)
    add, seen = ca_names._add_one, []

    def add_one_only(library: object, inner: object, der: bytes) -> None:
        seen.append(der)
        add(library, inner, der if len(seen) == 1 else b"no certificate")  # type: ignore[arg-type]

    monkeypatch.setattr(ca_names, "_add_one", add_one_only)
    assert start() == []
    assert len(seen) == 2
    assert told(caplog) == 1


def test_the_structure_in_python_is_still_what_is_reached_into() -> None:
    """One of a version of CPython that is not known to be so fails here, where it can be looked at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert ca_names._add(context, [ROOT.certificate, OTHER.certificate]) is None
