"""Anything that others may send or write: JSON of any shape, and sound documents that were harmed."""

import copy
import json
import os
from typing import Any

from hypothesis import strategies as st

USUAL = 100
"""So many examples a property is tried with."""
EXAMPLES = int(os.environ.get("RCMON_TEST_EXAMPLES", USUAL))
"""The same, as it is asked for."""


def examples(usual: int) -> int:
    """Tell how many examples to try of a property that is usually tried with so many."""
    return max(1, usual * EXAMPLES // USUAL)


texts = st.text(max_size=12) | st.sampled_from(["", "Available", "NoPossibleSite", "submitted", "\0", "://"])
leaves = (
    st.none()
    | st.booleans()
    | texts
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([2**50, 2**64, 1e308])
)
anything: Any = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
"""What JSON can hold."""


def places_of(made: Any) -> list[tuple[Any, Any]]:
    """List every place in a document: what holds it, and its key or index there."""
    found: list[tuple[Any, Any]] = []
    keys = list(made) if isinstance(made, dict) else range(len(made)) if isinstance(made, list) else ()
    for key in keys:
        found.append((made, key))
        found += places_of(made[key])
    return found


@st.composite
def changed(draw: st.DrawFn, sound: Any) -> Any:
    """Give a document in which some places hold something else, are gone, or are there twice."""
    made = copy.deepcopy(sound)
    for _ in range(draw(st.integers(1, 3))):
        places = places_of(made)
        if not places:
            break
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        what = draw(st.sampled_from(["other", "gone", "twice"]))
        if what == "other":
            holder[key] = draw(anything)
        elif what == "gone":
            del holder[key]
        elif isinstance(holder, list):
            holder.append(holder[key])
        else:
            holder[draw(texts)] = holder[key]
    return made


def octets(sound: Any) -> st.SearchStrategy[bytes]:
    """Give what may come in place of a document: one that was changed, cut or harmed, or anything at all."""
    written = json.dumps(sound).encode()
    places = st.integers(0, len(written) - 1)
    harmed = st.builds(
        lambda at, put, left: written[:at] + put + written[at + left :],
        places,
        st.binary(max_size=4) | st.sampled_from([b"[" * 5000, b"NaN", b"-Infinity", b"1e999", b'"\\ud800"']),
        st.integers(0, 8),
    )
    return (
        (changed(sound) | anything).map(lambda one: json.dumps(one).encode())
        | harmed
        | places.map(lambda size: written[:size])
        | st.binary(max_size=200)
    )


def words(sound: str) -> st.SearchStrategy[str]:
    """Give what may stand in place of a text: one in which something was put, taken or exchanged, or any."""
    places = st.integers(0, len(sound))
    put = st.text(max_size=8) | st.sampled_from(["[", "]", "[[", '"', "'", '"""', "=", "\n", "#", "{", "inf"])
    once = st.builds(lambda at, put, left: (at, put, left), places, put, st.integers(0, 12))

    def harm(changes: list[tuple[int, str, int]]) -> str:
        made = sound
        for at, new, left in changes:
            made = made[:at] + new + made[at + left :]
        return made

    return st.lists(once, min_size=1, max_size=4).map(harm) | st.text(max_size=60)
