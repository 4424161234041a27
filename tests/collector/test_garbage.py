"""The collector looks for garbage rarely, and finds it."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from rcmon.collector.process import NEW_OBJECTS, look_rarely


class Circle:
    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def rarely() -> Iterator[None]:
    before = gc.get_threshold()
    look_rarely()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def made(most: int) -> int:
    """Make circles until the first is gone; tells how many were made."""
    first = weakref.ref(Circle())
    count = 0
    while first() is not None and count < most:
        Circle()
        count += 1
    return count


@pytest.mark.usefixtures("rarely")
def test_garbage_is_given_back_after_many_objects_and_what_was_there_stays_out_of_it() -> None:
    assert gc.get_freeze_count() > 0
    gc.collect()
    assert NEW_OBJECTS // 10 < made(20 * NEW_OBJECTS) < 20 * NEW_OBJECTS
