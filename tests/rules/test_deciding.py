"""What is asked for again is done already; who has seen what is there may want it for another day."""

from typing import Any

import pytest
from msgspec import structs

from rcmon.model import OVERRIDE_DAY, Override
from rcmon.rules.deciding import is_done, restored

HELD = Override("S", None, "Down", None, 5, "until", 1000.0 + OVERRIDE_DAY, "r", "/CN=o", 1000.0, 7)
ASKED = structs.replace(HELD, made=1010.0, until=1010.0 + OVERRIDE_DAY, version=0)


def test_asked_again_without_an_end_it_is_done_unless_it_was_seen() -> None:
    assert is_done(HELD, ASKED, default_end=True, seen=False)
    assert not is_done(HELD, ASKED, default_end=True, seen=True)
    other_end = structs.replace(HELD, until=5000.0)
    assert not is_done(other_end, ASKED, default_end=True, seen=False)


def test_asked_again_with_the_same_end_it_is_done_whatever_was_seen() -> None:
    same = structs.replace(ASKED, until=HELD.until)
    for seen in (False, True):
        assert is_done(HELD, same, default_end=False, seen=seen)
        assert not is_done(HELD, ASKED, default_end=False, seen=seen)
    latched = structs.replace(HELD, mode="latched", until=None)
    assert is_done(latched, structs.replace(latched, made=2000.0), default_end=True, seen=True)


@pytest.mark.parametrize(
    "other",
    [{"state": "Draining"}, {"running": 0}, {"pending": None}, {"reason": "s"}, {"subject": "/CN=p"}],
)
def test_anything_else_is_another_override(other: dict[str, Any]) -> None:
    assert not is_done(HELD, structs.replace(ASKED, **other), default_end=True, seen=False)
    assert not is_done(None, ASKED, default_end=True, seen=False)


def test_what_is_restored_is_of_who_restores_it() -> None:
    made = restored(HELD, 9, "/CN=p", 1500.0)
    assert made == structs.replace(HELD, version=9, subject="/CN=p", made=1500.0)
    assert restored(None, 9, "/CN=p", 1500.0) is None
