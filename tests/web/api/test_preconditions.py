"""Conditions on a change: what is not understood is refused, and nothing else than the very state matches."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders

from rcmon.web.answers.problems import Problem
from rcmon.web.api.preconditions import Precondition, read_precondition, required

TAG = st.from_regex(r"[0-9a-z]{1,8}-[0-9a-f]{12}", fullmatch=True)


def read(**fields: str) -> Precondition | None:
    return read_precondition(HTTPHeaders({name.replace("_", "-"): text for name, text in fields.items()}))


def test_what_is_said_is_read() -> None:
    assert read() is None
    assert read(If_None_Match=" * ") == Precondition(absent=True)
    found = read(If_Match='"a", W/"b" , "c-gz"')
    assert found == Precondition(absent=False, tags=frozenset({"a", "c"}))
    assert [found.admits(tag) for tag in ("a", "b", "c", "", None)] == [True, False, True, False, False]
    absent = Precondition(absent=True)
    assert (absent.admits(None), absent.admits("a")) == (True, False)


@pytest.mark.parametrize(
    "fields",
    [
        {"If_Match": "*"},
        {"If_Match": "a"},
        {"If_Match": '"a" "b"'},
        {"If_Match": '"a'},
        {"If_Match": 'w/"a"'},
        {"If_None_Match": '"a"'},
        {"If_None_Match": ""},
        {"If_Match": '"a"', "If_None_Match": "*"},
    ],
)
def test_what_is_not_understood_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(Problem) as caught:
        read(**fields)
    assert caught.value.status_code == 400


def test_a_change_without_a_condition_is_told_what_to_send() -> None:
    with pytest.raises(Problem, match="If-Match") as caught:
        required(None, "If-Match")
    assert caught.value.status_code == 428


@given(st.lists(st.tuples(st.booleans(), TAG), min_size=1, max_size=5), TAG)
def test_only_a_tag_that_is_listed_and_strong_matches(listed: list[tuple[bool, str]], held: str) -> None:
    field = ", ".join(f'W/"{tag}"' if weak else f'"{tag}"' for weak, tag in listed)
    found = read(If_Match=field)
    assert found is not None
    assert found.admits(held) is ((False, held) in listed)
    assert all(found.admits(tag) for weak, tag in listed if not weak)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_whatever_is_sent_is_read_or_refused(text: str) -> None:
    """Nothing else is raised, and no field of junk matches anything."""
    found = None
    with contextlib.suppress(Problem):
        found = read(If_Match=text)
    if found is not None:
        assert not found.admits(None)
        assert all(f'"{tag}' in text for tag in found.tags)
