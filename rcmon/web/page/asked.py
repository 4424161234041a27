"""What the pages of sites and agents are asked: forgiving, since forms send what was left empty."""

import re
from collections.abc import Mapping, Sequence

from rcmon.web.api.past import Task
from rcmon.web.api.query import Agent, At, Query
from rcmon.web.page.chart import Range

_ZONELESS = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?")
"""As a browser's field of date and time sends it; the pages say that it is UTC."""


class AtPage(Query, frozen=True, kw_only=True):
    """A page that can be of a past moment."""

    at: At = ""


class SitePage(AtPage, frozen=True, kw_only=True):
    """What the page of a site shows over time."""

    range: Range = "1d"
    agent: Agent = ""
    """The agent whose jobs the chart shows; none: all together."""
    task: Task = ""


def given(arguments: Mapping[str, Sequence[bytes]]) -> dict[str, list[bytes]]:
    """Leave out what is empty, and take a time without a zone for UTC."""
    filled = {name: [text for text in texts if text.strip()] for name, texts in arguments.items()}
    if "at" in filled:
        filled["at"] = [text + b"Z" if _ZONELESS.fullmatch(text) else text for text in filled["at"]]
    return {name: texts for name, texts in filled.items() if texts}
