"""Every trouble is one sentence on standard error and a documented exit status, and never a traceback."""

import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rcmon.terminal.failure import EXITS
from rcmon.terminal.session import Session
from tests.access import pki
from tests.browser.site import PATIENCE, Site
from tests.servers import free_port
from tests.terminal.asking import Said, environment, program
from tests.terminal.conftest import Run
from tests.web.pki import HOST, ROOT, files

COMMANDS = (
    ["sites"],
    ["site", "T1_DE_KIT"],
    ["agents"],
    ["why"],
    ["drift"],
    ["findings"],
    ["journal"],
    ["override", "list"],
    ["override", "set", "T1_DE_KIT", "--state", "Down", "--reason", "r", "--yes"],
    ["override", "preview", "T1_DE_KIT", "--state", "Down", "--reason", "r"],
    ["override", "end", "T1_DE_KIT", "--yes"],
    ["override", "undo", "1", "--yes"],
    ["whoami"],
)


def one_sentence(said: Said, status: int, *words: str) -> None:
    assert said.status == status, said
    assert status in EXITS
    assert said.out == ""
    assert said.err.startswith("rcmon-cli: ")
    assert said.err.count("\n") == 1
    assert not [word for word in words if word not in said.err], said.err


@contextmanager
def answering(answer: Callable[[ssl.SSLSocket], None], server: pki.Credential = HOST) -> Iterator[str]:
    """Serve one answer after another, whatever is asked, over TLS; gives the address."""
    folder = files().ca_file.parent
    path = server.write(folder / f"server-{free_port()}.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                accepted, _ = listening.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(accepted, server_side=True) as peer:
                    peer.settimeout(300)
                    peer.recv(65536)
                    answer(peer)
            except OSError:
                accepted.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://localhost:{listening.getsockname()[1]}"
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(60)


def saying(head: str, body: bytes = b"") -> Callable[[ssl.SSLSocket], None]:
    def answer(peer: ssl.SSLSocket) -> None:
        peer.sendall(
            f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
        )

    return answer


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_service_that_is_not_there(run: Run, command: list[str]) -> None:
    port = free_port()
    one_sentence(
        run(*command, RCMON_URL=f"https://localhost:{port}"), 69, f"localhost:{port}", "Connection refused"
    )


@pytest.mark.parametrize("command", COMMANDS[:-1], ids=" ".join)
def test_whoever_has_no_role_is_told_which_is_missing(run: Run, command: list[str]) -> None:
    said = run(*command, persona="stranger")
    one_sentence(
        said, 77, "/DC=ch/CN=stranger", "lacks the role reader" if "set" not in command else "lacks the role"
    )


def test_a_reader_changes_nothing(run: Run) -> None:
    said = run("override", "set", "T1_DE_KIT", "--state", "Down", "--reason", "r", "--yes")
    one_sentence(said, 77, "/DC=ch/CN=reader", "lacks the role operator")


def test_a_host_that_no_name_leads_to(run: Run) -> None:
    one_sentence(
        run("sites", RCMON_URL="https://nowhere.invalid:5000"),
        69,
        "nowhere.invalid:5000",
        "cannot be reached",
    )


def test_a_peer_that_says_nothing(run: Run) -> None:
    release = threading.Event()
    with answering(lambda peer: (release.wait(60), None)[1]) as url:
        one_sentence(
            run("sites", "--timeout", "0.5", RCMON_URL=url), 69, "no whole answer within 0.5 s (--timeout)"
        )
        release.set()


def test_a_peer_that_drips(run: Run) -> None:
    """Each byte comes in time, the whole does not."""
    ended = threading.Event()

    def drip(peer: ssl.SSLSocket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not ended.wait(0.05):
            peer.sendall(b" ")

    with answering(drip) as url:
        one_sentence(run("sites", "--timeout", "1", RCMON_URL=url), 69, "no whole answer within 1 s")
        ended.set()


@pytest.mark.parametrize(
    ("head", "body", "status", "words"),
    [
        ("200 OK", b"<html>Sign in</html>", 76, "not JSON"),
        ("200 OK", b"", 76, "not JSON"),
        ("200 OK", b'{"sites": [{"name": "\xff"}]}', 76, "not JSON"),
        ("200 OK", b"[1, 2]", 76, "older or newer"),
        ("200 OK", b'{"sites": [{"name": 7}]}', 76, "older or newer"),
        ("200 OK", b'{"sites": [' + b"[" * 100_000, 76, "not JSON"),
        ("200 OK", b'{"sites": [], "next": "https://evil.example/"}', 76, "sends elsewhere"),
        ("200 OK", b'{"sites": [], "next": "/wm_resource_monitor/api/sites?offset=1"}', 76, "without end"),
        ("302 Found\r\nLocation: https://evil.example/", b"", 76, "sends elsewhere"),
        ("404 Not Found", b"", 76, "is it rcmon"),
        ("502 Bad Gateway", b"", 69, "502"),
        ("418 I'm a teapot\r\nContent-Type: application/problem+json", b"{", 76, "418"),
        ("403 Forbidden", b"", 77, "refuses this"),
        (
            "503 Unavailable\r\nContent-Type: application/problem+json",
            b'{"detail": "There is nothing to show \\u001b[31myet."}',
            69,
            "There is nothing to show \\x1b[31myet.",
        ),
        ("200 OK\r\nContent-Encoding: gzip", b"no gzip", 76, "cannot be inflated"),
        ("200", b"", 76, "not JSON"),
    ],
)
def test_an_answer_that_is_none(run: Run, head: str, body: bytes, status: int, words: str) -> None:
    with answering(saying(head, body)) as url:
        one_sentence(run("sites", "-o", "csv", RCMON_URL=url), status, words)


def test_what_a_newer_service_adds_harms_nothing_and_what_an_older_one_lacks_is_unknown(run: Run) -> None:
    body = b'{"sites": [{"name": "T1_X", "fresh": {"a": [1]}}], "more": 1, "status": "healthy"}'
    with answering(saying("200 OK", body)) as url:
        said = run("sites", "-o", "csv", RCMON_URL=url)
        assert (said.status, said.out.splitlines()[1]) == (0, "T1_X,,?,,,,,")
        assert "late" in said.err


def test_a_server_whose_certificate_is_not_believed(run: Run, site: Site, tmp_path: Path) -> None:
    other = pki.authority(pki.name("CN=Other"))
    (tmp_path / "ca.pem").write_bytes(other.certificate_pem)
    one_sentence(
        run("sites", "--ca", str(tmp_path / "ca.pem")), 78, "is not believed", "--ca or X509_CERT_DIR"
    )
    with answering(saying("200 OK"), pki.entity(pki.name("CN=elsewhere"), ROOT, eku=None)) as url:
        one_sentence(run("sites", RCMON_URL=url), 78, "is not believed")


def test_a_certificate_that_the_service_does_not_know(run: Run, tmp_path: Path) -> None:
    other = pki.entity(pki.name("CN=me"), pki.authority(pki.name("CN=Other")))
    mine = other.write(tmp_path / "me.pem")
    one_sentence(run("sites", X509_USER_PROXY=str(mine)), 77, f"does not accept the certificate {mine}")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://localhost:5000",
        "localhost:5000",
        "https://",
        "https://h:5000/other",
        "https://h?x=1",
        "\x1b",
    ],
)
def test_an_address_that_is_none(run: Run, url: str) -> None:
    one_sentence(run("sites", RCMON_URL=url), 78, "https://HOST:")


def test_values_that_the_command_or_the_service_does_not_take(run: Run) -> None:
    one_sentence(run("sites", "--tier", "T9"), 2, "T0, T1, T2, T3")
    one_sentence(run("journal", "--since", "noon"), 2, "'since'")
    one_sentence(run("sites", "--nix"), 2, "--nix", "rcmon-cli sites --help")
    one_sentence(run("sites", "--timeout", "nan"), 2, "is not a time")
    one_sentence(run("whoami", "-o", "csv"), 2, "no CSV")
    one_sentence(run("sites", "--wmcore", "-o", "csv"), 2, "-o")
    one_sentence(run("override", "set", "T1_DE_KIT", "--reason", "r", "--yes"), 2, "sets nothing")
    wish = ["override", "set", "T1_DE_KIT", "--state", "Down", "--reason", "r", "--yes"]
    one_sentence(run(*wish, "--for", "7 parsecs"), 2, "90m, 12h or 3d")
    one_sentence(run(*wish, "--for", "1h", "--latched"), 2, "exclude each other")
    one_sentence(run(*wish, "--for", "99d", persona="operator"), 2, "at most 30 days")


def test_what_is_not_there(run: Run) -> None:
    one_sentence(run("site", "T9_XX"), 1, "There is no site 'T9_XX'")
    one_sentence(run("override", "undo", "77", "--yes"), 1, "There is no change 77")


def test_check_that_cannot_ask_is_unknown_in_one_line(run: Run) -> None:
    """Nagios reads standard output and takes 2 for critical."""
    said = run("check", RCMON_URL=f"https://localhost:{free_port()}")
    assert (said.status, said.err) == (3, "")
    assert said.out.startswith("RCMON UNKNOWN - localhost:")
    assert said.out.endswith(" | age=U\n")
    assert run("check", persona="stranger").status == 3
    assert run("check", "--nix").status == 3
    assert run("check", X509_USER_PROXY="/nowhere").status == 3


def test_whoever_reads_no_more_ends_it_in_silence(site: Site) -> None:
    """As `rcmon-cli why --all | head -1` does."""
    asked = [sys.executable, "-m", "rcmon.terminal", "why", "--all", "-o", "json"]
    with subprocess.Popen(
        asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(site), text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE) == 141
        assert process.stderr.read() == ""


def test_a_disk_that_is_full(site: Site) -> None:
    with Path("/dev/full").open("w") as full:
        asked = [sys.executable, "-m", "rcmon.terminal", "sites"]
        done = subprocess.run(
            asked, stdout=full, stderr=subprocess.PIPE, env=environment(site), text=True, check=False
        )
    assert (done.returncode, done.stderr.count("\n")) == (74, 1), done.stderr
    assert "cannot be written: No space left" in done.stderr


def test_ctrl_c_ends_it_with_130_and_no_word() -> None:
    """While it waits for an answer."""
    asked, ended = threading.Event(), threading.Event()

    def never(peer: ssl.SSLSocket) -> None:
        asked.set()
        ended.wait(PATIENCE)

    with answering(never) as url:
        command = [sys.executable, "-m", "rcmon.terminal", "sites", "--timeout", "300"]
        given = environment(None, RCMON_URL=url)
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=given, text=True
        ) as process:
            assert asked.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
        ended.set()
        assert (process.returncode, out, err.strip()) == (130, "", "")


def test_what_is_not_meant_is_not_done(site: Site) -> None:
    """Where nobody can be asked, it takes --yes."""
    wish = ["override", "set", "T1_DE_KIT", "--state", "Down", "--reason", "r"]
    said = program(wish, environment(site, "operator"), "y\n")
    assert said.status == 2
    assert said.err == "rcmon-cli: nobody can be asked here whether this is meant: say so with --yes\n"
    assert program(["override", "list", "-o", "csv"], environment(site)).out.count("\n") == 1


def test_an_error_of_its_own_is_a_sentence_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(Session, "status", broken)
    said = run("check")
    assert (said.status, said.out) == (70, "")
    assert (
        said.err == "rcmon-cli: an error of this program's own, please report it: RuntimeError: two lines\n"
    )
