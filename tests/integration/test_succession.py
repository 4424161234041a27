"""Who is started again begins with what was in use, whatever has become of the files since."""

import os
import signal

from tests.access import pki
from tests.access.place import ALICE, BOB, OTHER, Place
from tests.integration.running import children, running, until


def everywhere(service, who, status):
    """Tell whether every worker gives somebody that status; a few connections reach them all."""
    return all(service.curl("/api/status", who=who)[0] == status for _ in range(8))


def sources_of(service, newer_than):
    """Give the names of the sources, told with a newer snapshot; None: there is none yet."""
    status = service.json("/api/status", who="bob")
    if (status["snapshot"] or {"id": 0})["id"] <= newer_than:
        return None
    return [source["name"] for source in status["sources"]]


def write_people(directory, place):
    """Write the certificates as curl takes them."""
    (directory / "ca.crt").write_bytes(place.ca_file.read_bytes())
    for name, credential in {"alice": ALICE, "bob": BOB, "reader": BOB}.items():
        (directory / f"{name}.crt").write_bytes(credential.certificate_pem)
        (directory / f"{name}.key").write_bytes(credential.key_pem)


def test_nothing_that_was_replaced_comes_back_with_a_new_process(tmp_path, stack):
    """A list without the revoked, a role that was lost, a source that is gone: then each file breaks."""
    options, _ = stack
    (tmp_path / "trust").mkdir()
    place = Place(tmp_path / "trust")
    pki.add_to_directory(place.cas, OTHER)
    write_people(tmp_path, place)
    carol = pki.entity(pki.name("DC=org", "CN=carol"), OTHER)
    (tmp_path / "carol.crt").write_bytes(carol.certificate_pem)
    (tmp_path / "carol.key").write_bytes(carol.key_pem)
    sources, revoked = tmp_path / "sources.toml", place.ca_file.with_suffix(".r0")
    place.grant("dn:/DC=ch/CN=alice", "dn:/DC=org/CN=bob", "dn:/DC=org/CN=carol")
    place.revoke()
    files = place.files
    trust = {"--tls-cert": files.certificate, "--tls-key": files.key, "--tls-ca": files.authorities}
    for name, path in (trust | {"--roles-file": files.roles}).items():
        options[options.index(name) + 1] = str(path)
    with running(tmp_path, *options, pki=tmp_path) as service:
        assert all(everywhere(service, who, 200) for who in ("alice", "bob", "carol"))

        place.revoke(ALICE)
        place.grant("dn:/DC=ch/CN=alice", "dn:/DC=org/CN=bob")
        sources.write_text(sources.read_text().replace('"good"', '"better"'))
        service.process.send_signal(signal.SIGHUP)
        until(lambda: everywhere(service, "alice", 403) and everywhere(service, "carol", 403), "the refusals")
        until(lambda: sources_of(service, 0) == ["better"], "the new source")

        for path in (revoked, files.roles, sources):
            path.write_text("broken")
        refused = ("crl refused", "roles refused", "sources refused")
        until(lambda: all(each in service.log.read_text() for each in refused), "the refusals in the log")
        before, newest = children(service.process.pid), service.json("/api/status", who="bob")["snapshot"]
        for child in before:
            os.kill(child, signal.SIGKILL)
        until(lambda: len(children(service.process.pid) - before) == len(before), "successors")
        until(lambda: everywhere(service, "bob", 200), "an answer for those who are let in")
        assert everywhere(service, "alice", 403)
        assert everywhere(service, "carol", 403)
        assert until(lambda: sources_of(service, newest["id"]), "a newer snapshot") == ["better"]
        assert "no new worker serves" not in service.log.read_text()
