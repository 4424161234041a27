"""Something that needs an operator's attention."""

from msgspec import Struct


class Finding(Struct, frozen=True):
    """Something that needs an operator's attention, and why.

    `kind` is a key of `rcmon.collector.findings.KINDS` (bounded: it is a metric label); `count` is how many
    rows, jobs or sites it concerns.
    """

    kind: str
    agent: str | None
    message: str
    count: int = 1
    site: str | None = None
    task: str | None = None
