"""The findings of one poll, as they are noted."""

from collections import Counter
from collections.abc import Mapping

from rcmon.model import Finding, Meaning

MOST = 1000
"""Most findings of a kind that one poll lists; the rest is counted in one more."""

_Key = tuple[str, str, str | None, str | None]


class Noting:
    """The findings of one poll as they are noted; equal ones are one, with their sum.

    `kinds`: every kind that there may be, with its meaning; `agent`: whom they concern, None: no agent.
    """

    def __init__(self, kinds: Mapping[str, Meaning], agent: str | None = None) -> None:
        self._kinds, self._agent = kinds, agent
        self._counts: dict[_Key, int] = {}
        self._numbers: Counter[str] = Counter()

    def note(
        self, kind: str, message: str, *, count: int = 1, site: str | None = None, task: str | None = None
    ) -> None:
        """Note `count` things of a kind, unless there are none. Raises KeyError for an unknown kind."""
        self._kinds[kind]
        if count <= 0:
            return
        key: _Key = (kind, message, site, task)
        if key not in self._counts:
            if self._numbers[kind] == MOST:
                key = (kind, f"further ones, of which only {MOST} are listed", None, None)
            else:
                self._numbers[kind] += 1
        self._counts[key] = self._counts.get(key, 0) + count

    def all(self) -> tuple[Finding, ...]:
        """Give what was noted, ordered by kind, site, task type and message."""
        found = [
            Finding(kind, self._agent, message, count, site, task)
            for (kind, message, site, task), count in self._counts.items()
        ]
        return tuple(
            sorted(found, key=lambda each: (each.kind, each.site or "", each.task or "", each.message))
        )
