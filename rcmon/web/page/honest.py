"""What may be the matter with what a page shows, each in its own words: all pages take them from here.

What is not there is never shown as zero, and what is old never as new: one of these is said instead.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from rcmon.web.answers.problems import Problem

Matter = Literal["loading", "empty", "unmatched", "stale", "partial", "forbidden", "offline", "never"]


class Matters(Struct, frozen=True):
    """One matter, as it is shown."""

    matter: Matter
    word: str
    """It in a word or two."""
    text: str
    """What it means here, in a sentence."""


WORDS: Mapping[Matter, tuple[str, str]] = {
    "loading": ("loading", "It is being asked for."),
    "empty": ("nothing", "There is nothing of the kind."),
    "unmatched": ("no match", "There is something of the kind, but the filter lets nothing through."),
    "stale": ("stale", "It is from an earlier time than it should be; how it is now is not known."),
    "partial": ("partial", "Some of it could be read, and some could not."),
    "forbidden": ("forbidden", "It is there, but not for this certificate."),
    "offline": ("not to be read", "It cannot be read just now; it is asked for again by itself."),
    "never": ("never asked", "Nobody has asked for it yet, so that nothing is known."),
}
"""The word of each, and what it means wherever it stands; the page About lists them."""

LineState = Literal["none", "ahead", "fresh", "stale", "live", "paused", "loading", "offline", "forbidden"]

LINE: Mapping[LineState, tuple[str, str]] = {
    "none": ("no snapshot yet", ""),
    "ahead": ("of no known age", ""),
    "fresh": ("snapshot", ""),
    "stale": (WORDS["stale"][0], ""),
    "live": ("live", ""),
    "paused": ("paused", ""),
    "loading": ("connecting", ""),
    "offline": ("offline", "the service does not answer"),
    "forbidden": (WORDS["forbidden"][0], "you may not read this any more"),
}
"""What the line of state says, and more of it; the page hands them over to its script."""


def say(matter: Matter, text: str = "") -> Matters:
    """Say what is the matter; `text` in place of what it means everywhere."""
    word, meaning = WORDS[matter]
    return Matters(matter, word, text or meaning)


def say_list(*, shown: int, total: int, every: int, what: str) -> Matters | None:
    """Say why a list has nothing to show; None: it has something.

    `total`: how many the filter lets through; `every`: how many there are; `what`: of what, in the plural.
    """
    if shown:
        return None
    if total:
        return say("empty", f"These were the last: the {what} before them are on the pages before.")
    if every:
        return say("unmatched", f"None of the {every} {what} is let through by this filter.")
    return say("empty", f"There are no {what}.")


def say_problem(problem: Problem) -> Matters:
    """Say why something could not be read."""
    matter: Matter = "forbidden" if problem.status_code == 403 else "offline"  # noqa: PLR2004 - a status
    return say(matter, problem.detail)


NO_CYCLE = say("never", "No cycle has ended yet: nobody has been asked, so that nothing is known.")
