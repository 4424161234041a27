"""Queries are read strictly, and an error names parameter, value and what is allowed."""

import contextlib
import re
from collections.abc import Sequence
from typing import Annotated, Literal, get_args
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta
from tornado.escape import parse_qs_bytes

from rcmon.documents.shapes import SiteShape
from rcmon.model import SITE_STATES
from rcmon.web.answers.problems import Problem
from rcmon.web.api.query import MAX_ITEMS, Many, Query, QueryReader, SiteGlob
from rcmon.web.api.site_query import DIFFERING, STATES, UNKNOWN, Field, Sort


class Asked(Query, frozen=True, kw_only=True):
    state: Many[Literal["Normal", "Down"]] = ()
    format: Literal["json", "csv"] = "json"
    limit: Annotated[int, Meta(ge=1, le=500)] | None = None
    site: Many[SiteGlob] = ()
    pretty: bool = False


READER = QueryReader(Asked)


def given_query(text: str) -> Asked:
    return READER.read(parse_qs_bytes(text, keep_blank_values=True))


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
    assert given_query(text) == Asked(**expected)  # type: ignore[arg-type]


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
        *(
            (f"limit={text}", "limit", unquote(text), "a whole number from 1 to 500")
            for text in ("%2B3", "%203", "3%20", "1e2", "0x1", "03", "null", "", "%D9%A3", "true")
        ),
        *(
            (f"pretty={text}", "pretty", text, "nothing, or one of 1, true, 0, false")
            for text in ("TRUE", "True", "yes", "null", "01")
        ),
        ("site=T1%0A", "site", "T1\n", None),
        ("format=null", "format", "null", "one of json, csv"),
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
    for known in (name, *(parameter.name for parameter in READER.parameters)):
        with contextlib.suppress(Problem):
            READER.read({known: [value.encode(errors="surrogatepass")]})


def test_a_parameter_must_say_what_is_allowed_and_what_holds_without_it() -> None:
    class Boundless(Query, frozen=True, kw_only=True):
        limit: int = 0

    class Needed(Query, frozen=True, kw_only=True):
        limit: Annotated[int, Meta(ge=0, le=9)]

    for shape in (Boundless, Needed):
        with pytest.raises(TypeError):
            QueryReader(shape)


def test_the_words_of_the_sites_are_those_of_the_model() -> None:
    assert (*SITE_STATES, DIFFERING, UNKNOWN) == STATES
    assert get_args(Field) == SiteShape.__struct_fields__
    keys = [key for key in get_args(Sort) if not key.startswith("-")]
    assert get_args(Sort) == (*keys, *(f"-{key}" for key in keys))


def test_the_schema_says_what_the_words_say() -> None:
    schemas = {parameter.name: parameter.schema for parameter in READER.parameters}
    state = {"type": "array", "items": {"enum": ["Down", "Normal"]}, "maxItems": MAX_ITEMS}
    assert schemas["state"] == state
    assert schemas["limit"]["anyOf"][0] == {"type": "integer", "minimum": 1, "maximum": 500}
    assert schemas["pretty"] == {"type": "boolean"}
    assert re.search(schemas["site"]["items"]["pattern"], "T1_*")
