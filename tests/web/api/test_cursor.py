"""A list that is read page by page gives each item once, however it changes between the pages."""

from hypothesis import given
from hypothesis import strategies as st

from rcmon.web.api.cursor import Place, Position, cut, position

PLACES = st.lists(
    st.tuples(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["", "x", "y"])), st.lists(st.integers(), max_size=4)
    ),
    max_size=12,
).map(lambda groups: sorted(groups, key=lambda group: group[0]))


@given(PLACES, st.integers(1, 5))
def test_the_pages_together_are_the_list(groups: list[tuple[Place, list[int]]], limit: int) -> None:
    found: list[int] = []
    begin: Position | None = Position()
    while begin is not None:
        rows, begin = cut(groups, begin, limit)
        assert len(rows) <= limit
        assert begin is None or begin == position(begin.written())
        found += rows
    assert found == [item for _, items in groups for item in items]


def test_what_comes_and_goes_elsewhere_moves_nothing() -> None:
    groups = [(("a", "x"), [1, 2, 3]), (("b", "y"), [4, 5])]
    _, more = cut(groups, Position(), 2)
    assert more is not None
    changed = [(("a", "w"), [8, 9]), (("a", "x"), [1, 2, 3]), (("b", "y"), [4])]
    assert cut(changed, more, 5) == ([3, 4], None)
    assert cut([(("b", "y"), [4])], more, 5) == ([4], None)
