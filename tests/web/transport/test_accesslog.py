"""The access log: whole lines in either form, all, slow or sampled ones, errors always."""

import json

import pytest

from rcmon.web.transport.accesslog import AccessLog, Style
from rcmon.web.transport.exchange import Exchange
from rcmon.web.transport.said import Said, quoted, request_ids, said


def written(form="json", mode="all", slow=1.0, sample=1, requests=((200, 0.5),)):
    lines = []
    begin = "{" if form == "json" else ""
    turns = []
    log = AccessLog(
        lines.extend, "web-0", Style(form, mode, slow, sample), lambda _, flush: turns.append(flush)
    )
    asked = said(b"GET /api?a=%22 HTTP/1.1\r\nUser-Agent: curl/8\r\n\r\n")
    for code, seconds in requests:
        log.request(quoted("/CN=a"), "127.0.0.1", Exchange("/api", "GET", code, 12, seconds, asked, "r-1"))
    assert not lines
    for turn in turns:
        turn()
    assert len(turns) <= 1
    return [begin + line.removesuffix("\n") for line in lines]


def test_a_json_line_carries_everything():
    (line,) = written()
    entry = json.loads(line)
    assert entry == {
        "level": "info", "process": "web-0", "logger": "rcmon.access", "identity": "/CN=a",
        "address": "127.0.0.1", "method": "GET", "route": "/api", "code": 200, "bytes": 12, "duration": 0.5,
        "path": "/api?a=%22", "agent": "curl/8", "request_id": "r-1",
    }  # fmt: skip


def test_a_text_line_carries_everything():
    (line,) = written("text")
    expected = (
        'identity="/CN=a" address=127.0.0.1 method=GET route=/api path="/api?a=%22" agent="curl/8" code=200 '
        "bytes=12 duration=0.500000 request=r-1"
    )
    assert line.endswith(expected)


def test_only_slow_requests_and_errors():
    lines = written(mode="slow", requests=[(200, 0.5), (200, 1.0), (500, 0.1)])
    assert [json.loads(line)["duration"] for line in lines] == [1.0, 0.1]


def test_a_sample_of_requests_and_every_error():
    lines = written(sample=10, requests=[(200, 0.1)] * 25 + [(503, 0.1)])
    assert [json.loads(line)["code"] for line in lines] == [200, 200, 503]


def test_off_is_off():
    assert written(mode="off", requests=[(500, 9.0)]) == []


@pytest.mark.parametrize("evil", ['a"b', "a\nb", "a\x00b", "a\x7fb", "a\\b", "ü"])
def test_an_identity_cannot_forge_a_line(evil):
    text = quoted(evil)
    assert json.loads(text) == evil
    assert not any(ord(char) < 32 or ord(char) == 127 for char in text)


@pytest.mark.parametrize("evil", ["\u202e", "\u2028", "\x85", "\U000e0001", "a\u200bb"])
def test_what_turns_a_line_round_is_escaped(evil):
    text = quoted(evil)
    assert text.isprintable()
    assert json.loads(text) == evil


HEADS = {
    b"": Said('""', '""', ""),
    b"\x16\x03\x01 nonsense": Said('"nonsense"', '""', ""),
    b"GET / HTTP/1.1\r\n\r\n": Said('"/"', '""', ""),
    b"GET /a\xff HTTP/1.1\nUSER-AGENT:a b \nx-request-id: 7\n\n": Said('"/a\xff"', '"a b "', "7"),
    b"GET /?user-agent:x HTTP/1.1\r\nX: X-Request-Id: 1\r\n\r\n": Said('"/?user-agent:x"', '""', ""),
}


@pytest.mark.parametrize("head", HEADS)
def test_what_a_head_says(head):
    assert said(head) == HEADS[head]


def test_what_a_client_says_is_cut_short():
    found = said(b"GET /%s HTTP/1.1\r\nUser-Agent: %s\r\n\r\n" % (b"a" * 60000, b"b" * 60000))
    assert len(found.path) < 270
    assert len(found.agent) < 140


SANE = ["1", "a" * 128, "0af7651916cd43dd8448eb211c80319c", "urn:uuid:6e8bc430-9c3a", "a/b+c=@~"]
ODD = ["", "a" * 129, "a b", 'a"b', "a\\b", "\xfc", "a;b", "%0a", "<a>"]


@pytest.mark.parametrize("name", [*SANE, *ODD])
def test_an_identifier_is_taken_over_if_it_is_sane(name):
    found = said(f"GET / HTTP/1.1\r\nX-Request-Id: {name}\r\n\r\n".encode("latin-1"))
    assert found.request_id == (name if name in SANE else "")


def test_no_identifier_is_made_twice():
    made = {next(ids) for ids in (request_ids(), request_ids()) for _ in range(1000)}
    assert len(made) == 2000
    assert all(said(b"\nX-Request-Id: %s\r\n" % name.encode()).request_id == name for name in made)
