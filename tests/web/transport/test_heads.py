"""The short way's heads: what is taken reads exactly as Tornado reads it; the rest is left to Tornado."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders, parse_request_start_line

from rcmon.web.transport import heads
from tests.anything import examples

PLAIN = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_plain_head_is_read():
    head = heads.parse(b"GET /a/b HTTP/1.1\r\nHost: x:5\r\nAccept-Encoding: gzip \r\nX:  a: b\r\n\r\n")
    assert head is not None
    assert (head.method, head.path, head.version, head.keep) == ("GET", "/a/b", "HTTP/1.1", True)
    assert head.fields.get("accept-ENCODING") == "gzip"
    assert head.fields["X"] == "a: b"
    assert "host" in head.fields
    assert "y" not in head.fields


@pytest.mark.parametrize(
    ("version", "connection", "keep"),
    [
        ("1.1", "", True),
        ("1.1", "Connection: close\r\n", False),
        ("1.1", "Connection: Close\r\n", False),
        ("1.1", "Connection: keep-alive\r\n", True),
        ("1.0", "", False),
        ("1.0", "Connection: Keep-Alive\r\n", True),
        ("1.0", "Connection: close\r\n", False),
    ],
)
def test_staying_open_follows_version_and_connection(version, connection, keep):
    head = heads.parse(f"GET / HTTP/{version}\r\nHost: x\r\n{connection}\r\n".encode())
    assert head is not None
    assert head.keep is keep


@pytest.mark.parametrize(
    "head",
    [
        b"POST /a HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a%20 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://x/a HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET  /a HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a HTTP/1.2\r\nHost: x\r\n\r\n",
        b"GET /a HTTP/1.1\nHost: x\n\n",
        b"GET /a HTTP/1.1\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: \r\n\r\n",
        b"GET /a HTTP/1.0\r\nHost: \r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: x, y\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: x\r\nA: 1\r\na: 2\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: x\r\ntransfer-encoding: chunked\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: x\r\nA: 1\r\n folded\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: x\r\nA:1\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: x\r\nA: \xc3\xbc\r\n\r\n",
        b"GET /a\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n",
        PLAIN + b"x",
        b"",
    ],
)
def test_what_is_unusual_is_left_to_tornado(head):
    assert heads.parse(head) is None


TOKENS = [
    b"GET",
    b"HEAD",
    b" ",
    b"/a",
    b"/",
    b" HTTP/1.1",
    b" HTTP/1.0",
    b"\r\n",
    b"\n",
    b": ",
    b":",
    b"Host",
    b"x",
    b"Connection",
    b"close",
    b"keep-alive",
    b"Accept",
    b"\t",
    b"%",
    b"?",
    b"*",
    b"\x00",
    b"\x7f",
    b"\xff",
    b",",
]


@settings(max_examples=examples(500), deadline=None)
@given(
    st.one_of(
        st.lists(st.sampled_from(TOKENS), max_size=30).map(lambda parts: b"".join(parts) + b"\r\n\r\n"),
        st.tuples(st.integers(0, len(PLAIN)), st.integers(0, 4), st.sampled_from(TOKENS)).map(
            lambda cut: PLAIN[: cut[0]] + cut[2] + PLAIN[cut[0] + cut[1] :]
        ),
        st.lists(
            st.tuples(
                st.from_regex(r"[A-Za-z-]{1,9}", fullmatch=True),
                st.text(st.characters(codec="latin-1"), max_size=9),
            ),
            max_size=5,
        ).map(
            lambda fields: (
                "GET /a HTTP/1.1\r\nHost: x\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields) + "\r\n"
            ).encode("latin-1")
        ),
    )
)
def test_whatever_is_taken_reads_as_tornado_reads_it(head):
    taken = heads.parse(head)
    if taken is None:
        return
    first, _, rest = head.decode("latin1").lstrip("\r\n").partition("\n")
    line = parse_request_start_line(first.rstrip("\r"))
    fields = HTTPHeaders.parse(rest)
    assert (taken.method, taken.path, taken.version) == (line.method, line.path, line.version)
    assert {name.lower(): value for name, value in fields.get_all()} == dict(taken.fields)
