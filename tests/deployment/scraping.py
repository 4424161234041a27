"""The two ways of scraping that the example of Prometheus' configuration shows."""

import re
from typing import Any

import yaml

_OTHER = re.compile(r"^  # (?=(?:- job_name| ).*$)", re.MULTILINE)


def plainly(text: str) -> dict[str, Any]:
    """Read the example as it is: all in one scrape."""
    read: dict[str, Any] = yaml.safe_load(text)
    return read


def discovered(text: str) -> dict[str, Any]:
    """Read it with the other job in place of the one that is there."""
    before, mark, after = text.partition("scrape_configs:\n")
    _, begin, other = after.partition("  # - job_name")
    read: dict[str, Any] = yaml.safe_load(before + mark + _OTHER.sub("  ", begin + other))
    return read
