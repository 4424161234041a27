"""Names that are like one that is not there: somebody mistyped it, or remembers a part."""

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher, get_close_matches

MOST = 8
_LONGEST = 100
"""Characters of a name that are compared."""


def near(name: str, known: Iterable[str]) -> Sequence[str]:
    """Name those that hold it in any case, or are held by it, then those spelled alike; the nearest first."""
    wanted = name[:_LONGEST].casefold()
    folded: dict[str, list[str]] = {}
    for one in known:
        folded.setdefault(one[:_LONGEST].casefold(), []).append(one)
    within = [text for text in folded if wanted and (wanted in text or text in wanted)]
    within.sort(key=lambda text: (-SequenceMatcher(None, wanted, text).ratio(), text))
    alike = get_close_matches(wanted, folded, MOST, 0.7)
    chosen = dict.fromkeys((*within, *alike))
    return [one for text in chosen for one in folded[text]][:MOST]
