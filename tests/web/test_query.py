"""Queries are read strictly, and an error names parameter, value and what is allowed."""

import contextlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.escape import parse_qs_bytes

from rcmon.web.answers.problems import Problem
from rcmon.web.api.query import MAX_ITEMS, flag, globs, integer, one_of, read

PARAMETERS = (
    one_of("state", ("Normal", "Down"), many=True),
    one_of("format", ("json", "csv")),
    integer("limit", 1, 500),
    globs("site", "T1_*"),
    flag("pretty"),
)


def given_query(text: str) -> dict[str, object]:
    return read(parse_qs_bytes(text, keep_blank_values=True), PARAMETERS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("state=Down", {"state": ("Down",)}),
        ("state=Down&state=Normal", {"state": ("Down", "Normal")}),
        ("state=Down,Normal,Down", {"state": ("Down", "Normal")}),
        ("format=csv&limit=500", {"format": "csv", "limit": 500}),
        ("site=T1_*,T2_%3FH_[A-C]*", {"site": ("T1_*", "T2_?H_[A-C]*")}),
        ("pretty", {"pretty": True}),
        ("pretty=", {"pretty": True}),
        ("pretty=0", {"pretty": False}),
    ],
)
def test_what_is_understood(text: str, expected: dict[str, object]) -> None:
    assert given_query(text) == expected


@pytest.mark.parametrize(
    ("text", "parameter", "value", "allowed"),
    [
        ("staet=Down", "staet", "Down", ["state", "format", "limit", "site", "pretty"]),
        ("state=", "state", "", "any of Normal, Down"),
        ("state=down", "state", "down", "any of Normal, Down"),
        ("state=Down,", "state", "", "any of Normal, Down"),
        ("format=xml", "format", "xml", "one of json, csv"),
        ("format=json&format=csv", "format", "json, csv", "one value, not 2"),
        ("pretty&pretty", "pretty", ", ", "one value, not 2"),
        ("pretty=maybe", "pretty", "maybe", "nothing, or one of 1, true, 0, false"),
        ("limit=0", "limit", "0", "a whole number from 1 to 500"),
        ("limit=501", "limit", "501", "a whole number from 1 to 500"),
        ("limit=-1", "limit", "-1", "a whole number from 1 to 500"),
        ("limit=1.0", "limit", "1.0", "a whole number from 1 to 500"),
        ("limit=%C2%B2", "limit", "²", "a whole number from 1 to 500"),
        ("limit=1_0", "limit", "1_0", "a whole number from 1 to 500"),
        ("limit=%FF", "limit", "\\xff", "a whole number from 1 to 500"),
        ("limit=" + "9" * 5000, "limit", "9" * 200, "a whole number from 1 to 500"),
        ("site=T1%00", "site", "T1\x00", None),
        ("site=", "site", "", None),
        ("site=(a%2B)%2B", "site", "(a+)+", None),
        (
            "state=" + ",".join(["Down"] * (MAX_ITEMS + 1)),
            "state",
            f"{MAX_ITEMS + 1} items",
            f"at most {MAX_ITEMS} items",
        ),
    ],
)
def test_what_is_refused(text: str, parameter: str, value: str, allowed: str | Sequence[str] | None) -> None:
    with pytest.raises(Problem) as caught:
        given_query(text)
    problem = caught.value
    assert problem.status_code == 400
    assert problem.members["parameter"] == parameter
    assert problem.members["value"] == value
    assert problem.members["allowed"] == allowed or allowed is None
    assert repr(parameter) in problem.detail


@given(st.text(), st.text())
def test_no_query_is_an_uncaught_error(name: str, value: str) -> None:
    for known in (name, *(parameter.name for parameter in PARAMETERS)):
        with contextlib.suppress(Problem):
            read({known: [value.encode(errors="surrogatepass")]}, PARAMETERS)
