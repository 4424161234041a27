"""What changed since which snapshot, held against snapshots compared one with the other."""

from hypothesis import given
from hypothesis import strategies as st

from rcmon.web.events.place import EventPlace, place_of, read_place
from rcmon.web.events.since import Since

ROWS = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2))


@given(st.lists(ROWS, min_size=1, max_size=8))
def test_the_difference_since_any_snapshot_makes_that_one_the_newest(snapshots: list[dict[str, int]]) -> None:
    since: Since[str] = Since()
    for number, rows in enumerate(snapshots):
        since.take(number, [(name, value, name) for name, value in rows.items()])
    newest = snapshots[-1]
    for number, rows in enumerate(snapshots):
        found = since.since(number)
        changed, gone = set(found.changed), set(found.gone)
        assert {name for name, value in newest.items() if rows.get(name) != value} <= changed <= {*newest}
        assert rows.keys() - newest.keys() <= gone
        assert not gone & newest.keys()
        new = {found.changed[index] for index in found.came}
        assert newest.keys() - rows.keys() <= new
    assert since.since(len(snapshots) - 1).changed == []


@given(st.lists(ROWS, min_size=2, max_size=8), st.data())
def test_what_is_forgotten_is_not_asked_for(snapshots: list[dict[str, int]], data: st.DataObject) -> None:
    """What was gone before the oldest snapshot that can be asked about makes no difference to the others."""
    whole, short = Since[str](), Since[str]()
    for number, rows in enumerate(snapshots):
        for one in (whole, short):
            one.take(number, [(name, value, name) for name, value in rows.items()])
    oldest = data.draw(st.integers(0, len(snapshots) - 1))
    short.forget(oldest)
    for number in range(oldest, len(snapshots)):
        assert short.since(number) == whole.since(number)


def test_a_place_is_read_as_it_is_written() -> None:
    for place in (place_of(12, 1_767_268_800.25, 345), place_of(1, 0.0)):
        assert read_place(place.written()) == place
    assert place_of(12, 1_767_268_800.25, 345) == EventPlace(12, 1767268800250, 345)


def test_what_is_no_place_is_none() -> None:
    for text in ("", "1", "1.2.3.4", "1.2.", "-1.2.3", "a.b.c", "1.2.3\n", "9" * 20 + ".1"):
        assert read_place(text) is None
