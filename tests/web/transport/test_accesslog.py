"""The access log: whole lines in either form, all, slow or sampled ones, errors always."""

import json

import pytest

from rcmon.web.transport.accesslog import AccessLog, Style, quoted
from rcmon.web.transport.exchange import Exchange


def written(form="json", mode="all", slow=1.0, sample=1, requests=((200, 0.5),)):
    lines = []
    log = AccessLog(lines.append, "web-0", Style(form, mode, slow, sample))
    for code, seconds in requests:
        log.request(quoted("/CN=a"), "127.0.0.1", Exchange("/api", "GET", code, 12, seconds))
    log.flush()
    return "".join(lines).splitlines()


def test_a_json_line_carries_everything():
    (line,) = written()
    entry = json.loads(line)
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "info", "process": "web-0", "logger": "rcmon.access", "identity": "/CN=a",
        "address": "127.0.0.1", "method": "GET", "route": "/api", "code": 200, "bytes": 12, "duration": 0.5,
    }  # fmt: skip


def test_a_text_line_carries_everything():
    (line,) = written("text")
    expected = 'identity="/CN=a" address=127.0.0.1 method=GET route=/api code=200 bytes=12 duration=0.500000'
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
