"""What is said of a body of another shape: the value that is wrong, and what is allowed there."""

import json
from typing import Any, get_type_hints

import pytest
from msgspec import Struct

from rcmon.web.answers.problems import Problem
from rcmon.web.api.content import read_json
from rcmon.web.api.findings import AcknowledgementBody
from rcmon.web.api.misfit import allowed_at
from rcmon.web.api.override_body import BatchBody, BatchEntry, OverrideBody, UndoBody
from rcmon.web.api.quarantine import DecisionBody
from rcmon.web.api.weights import WeightBody

BODIES = (OverrideBody, BatchEntry, BatchBody, UndoBody, DecisionBody, AcknowledgementBody, WeightBody)
TEXT = "a text of 1 to 1000 characters that is not blank, without control characters"
SLOTS = "a whole number from 0 to 1000000, or null"
KEYS = "an object of reason, state, running_slots, pending_slots, mode, until"


def refused(shape: type[Struct], said: bytes) -> Problem:
    """Read a body that is refused."""
    with pytest.raises(Problem) as caught:
        read_json({"Content-Type": "application/json"}, said, 1 << 20, shape, "body")
    return caught.value


@pytest.mark.parametrize(
    ("shape", "said", "detail"),
    [
        (OverrideBody, {"reason": "  "}, f"'reason' is \"  \"; allowed is {TEXT}"),
        (OverrideBody, {"reason": 5}, f"'reason' is 5; allowed is {TEXT}"),
        (
            OverrideBody,
            {"reason": "r", "state": "Aborted"},
            "'state' is \"Aborted\"; allowed is one of Normal, Draining, Down, or null",
        ),
        (
            OverrideBody,
            {"reason": "r", "mode": "nope"},
            "'mode' is \"nope\"; allowed is one of until, latched, toggle",
        ),
        (OverrideBody, {"reason": "r", "running_slots": -1}, f"'running_slots' is -1; allowed is {SLOTS}"),
        (OverrideBody, {"state": "Down"}, f"Object missing required field `reason`; allowed is {KEYS}"),
        (OverrideBody, [], f"Expected `object`, got `array`; allowed is {KEYS}"),
        (
            BatchBody,
            {"overrides": [{"site": "T1", "etag": None, "override": {"reason": "r", "more": 1}}]},
            f"Object contains unknown field `more` at 'overrides[0].override'; allowed is {KEYS}, or null",
        ),
        (
            BatchBody,
            {"overrides": [{"site": "T1", "etag": None, "override": {"reason": ""}}]},
            f"'overrides[0].override.reason' is \"\"; allowed is {TEXT}",
        ),
        (BatchBody, {"overrides": []}, "'overrides' is []; allowed is a list of 1 to 500 places"),
        (UndoBody, {"reason": ""}, f"'reason' is \"\"; allowed is {TEXT}, or null"),
        (
            WeightBody,
            {"reason": "r", "weight": -1},
            "'weight' is -1; allowed is a number from 0 to 1000, or null",
        ),
    ],
)
def test_the_value_and_what_is_allowed_are_named(shape: type[Struct], said: Any, detail: str) -> None:
    problem = refused(shape, json.dumps(said).encode())
    assert (problem.status_code, problem.detail) == (422, f"The body is no body: {detail}.")


def test_a_key_that_is_there_twice_in_an_object_within_is_named() -> None:
    one = b'{"site": "T1_UK_RAL", "site": "T1_DE_KIT", "etag": null, "override": null}'
    problem = refused(BatchBody, b'{"overrides": [' + one + b"]}")
    assert problem.status_code == 400
    assert problem.detail == "The body names 'site' twice in one object; once is allowed."


def test_a_key_may_be_in_each_of_two_objects() -> None:
    said = {"overrides": [{"site": site, "etag": None, "override": None} for site in ("T1_A", "T1_B")]}
    content = json.dumps(said).encode()
    body = read_json({"Content-Type": "application/json"}, content, 1 << 20, BatchBody, "body")
    assert [one.site for one in body.overrides] == ["T1_A", "T1_B"]


def test_a_long_value_is_cut() -> None:
    assert len(refused(OverrideBody, json.dumps({"reason": "x" * 9000}).encode()).detail) < 500


def test_what_is_broken_behind_the_wrong_value_is_said_too() -> None:
    assert "'mode' is not as it is to be; allowed is one of" in refused(OverrideBody, b'{"mode": 1, ').detail


@pytest.mark.parametrize("shape", BODIES)
def test_every_member_of_every_body_says_what_it_allows(shape: type[Struct]) -> None:
    for name in get_type_hints(shape):
        assert allowed_at(shape, [name])


class Mapped(Struct):
    """A body with a mapping, whose keys msgspec does not tell."""

    sites: dict[str, OverrideBody]


def test_where_the_place_is_not_told_msgspecs_own_words_are() -> None:
    found = str(refused(Mapped, b'{"sites": {"T2_X": {"reason": 5}}}'))
    assert "Expected `str`, got `int` - at `$.sites[...].reason`" in found
