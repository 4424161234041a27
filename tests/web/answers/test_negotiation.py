"""What clients accept, read as RFC 9110 says and never an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rcmon.web.answers.negotiation import codings, exposition, prefers_html, wants_gzip

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (None, ("identity",)),
        ("", ("identity",)),
        ("gzip", ("gzip", "identity")),
        ("GZIP", ("gzip", "identity")),
        ("x-gzip", ("gzip", "identity")),
        ("gzip, deflate, br", ("gzip", "identity")),
        ("deflate,gzip", ("gzip", "identity")),
        ("br", ("identity",)),
        ("not-gzip-at-all", ("identity",)),
        ("*", ("gzip", "identity")),
        ("gzip;q=0", ("identity",)),
        ("gzip;q=0.000", ("identity",)),
        ("gzip;q=0, *", ("identity",)),
        ("*;q=0.5, gzip;q=0.001", ("identity", "gzip")),
        ("gzip;q=0.5, identity", ("identity", "gzip")),
        ("gzip;q=0.5, identity;q=0.5", ("gzip", "identity")),
        ("gzip; q=1.0, identity; q=0", ("gzip",)),
        ("identity;q=0", ()),
        ("*;q=0", ()),
        ("*;q=0, identity", ("identity",)),
        ("br, *;q=0, gzip", ("gzip",)),
        ("gzip;q=nonsense", ("identity",)),
        ("gzip;q=1.5", ("identity",)),
    ],
)
def test_content_codings(field: str | None, expected: tuple[str, ...]) -> None:
    assert codings(field) == expected
    assert wants_gzip(field) is (expected[:1] == ("gzip",))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (None, "text"),
        ("*/*", "text"),
        ("", "text"),
        ("text/plain", "text"),
        ("text/*", "text"),
        ("application/*", "openmetrics"),
        ("application/json", "text"),
        ("application/openmetrics-text", "openmetrics"),
        ("Application/OpenMetrics-Text; Version=1.0.0", "openmetrics"),
        ('application/openmetrics-text;version="1.0.0"', "openmetrics"),
        ("application/openmetrics-text;version=1.0.0;charset=utf-8", "openmetrics"),
        ("application/openmetrics-text;version=0.0.1", "text"),
        ("application/openmetrics-text;version=abc", "text"),
        ("application/openmetrics-text;q=0", "text"),
        ("application/openmetrics-text;q=0.3,text/plain;q=0.7", "text"),
        ("application/openmetrics-text;q=0.7,text/plain;q=0.3", "openmetrics"),
        ("application/openmetrics-text,text/plain", "openmetrics"),
        ("text/plain,application/openmetrics-text", "text"),
        ("*/*,application/openmetrics-text;q=0.5", "text"),
        ("*/*;q=0.5,application/openmetrics-text;q=0.5", "openmetrics"),
        ("text/plain;q=0,*/*", "openmetrics"),
        (PROMETHEUS_2, "openmetrics"),
        (PROMETHEUS_3, "openmetrics"),
        (PROTOBUF, "text"),
        (BROWSER, "text"),
    ],
)
def test_exposition_format(field: str | None, expected: str) -> None:
    assert exposition(field) == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (BROWSER, True),
        ("text/html", True),
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("text/html;q=0", False),
        ("text/html;q=0.5, application/problem+json", False),
        ("text/*", False),
    ],
)
def test_a_page_for_who_prefers_one(field: str | None, expected: bool) -> None:
    assert prefers_html(field) is expected


@given(st.text() | st.text(alphabet=' ,;=*/"gziptexplanq01.html-'))
def test_garbage_is_no_error(field: str) -> None:
    assert set(codings(field)) <= {"gzip", "identity"}
    assert exposition(field) in ("text", "openmetrics")
    assert prefers_html(field) in (True, False)


@given(st.lists(st.sampled_from(["gzip", "x-gzip", "br", "deflate", "identity", "GZip", " gzip ", "zip"])))
def test_the_quick_reading_agrees_with_the_whole_one(tokens: list[str]) -> None:
    """A parameter makes the reader take the careful way; it must not change the answer."""
    quick = codings(",".join(tokens))
    whole = codings(",".join(f"{token};q=1" for token in tokens))
    assert quick[0] == whole[0]
    assert "identity" in quick


def test_a_long_field_takes_no_long_time() -> None:
    """Each of these made a naive pattern backtrack for minutes."""
    for field in ("gzip" + " " * 60_000 + "@", "," * 60_000, "a;" * 30_000, "a/" * 30_000 + ";q=1"):
        assert codings(field + ";q=1") is not None
        assert exposition(field) == "text"
