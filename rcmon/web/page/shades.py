"""How the shades of maps are called where they are drawn, and what the reasons behind them mean."""

from collections.abc import Mapping, Sequence

from rcmon.rules.reasons import REASONS, Obstacle

SHADES: Mapping[str, str] = {
    ".": "absent",
    "n": "nothing",
    "0": "fill0",
    "1": "fill1",
    "2": "fill2",
    "3": "fill3",
    "4": "fill4",
    "f": "full",
    "w": "waiting",
    "p": "partly",
    "b": "blocked",
    "c": "unset",
    "?": "unknown",
}
"""By the character that stands for it."""


def shown_reasons() -> Sequence[Obstacle]:
    """Give every reason, in the order in which they are given."""
    return list(REASONS.values())
