"""From one answer to the next: the three of a cycle are of one version, and no site is left out. Pure.

An agent writes states before it asks for slots, first by the one number, then by the other. A site that is
left out of the states is closed by an agent that has `onlySSB`.
"""

from rcmon.bridge.answer import SLOTS, STATES, Rows, some
from rcmon.bridge.doubt import DoubtError


class Chain:
    """What the bridge remembers of good answers: names of sites, version and time; never a value.

    Raises DoubtError where an answer does not fit to those before it. A restart of the bridge forgets: that
    is how a person lets a site go that is gone for good.
    """

    def __init__(self) -> None:
        self._known: dict[str, frozenset[str]] = {STATES: frozenset(), SLOTS: frozenset()}
        self._version, self._time = 0, 0.0
        self._cycle: tuple[int, frozenset[str]] | None = None
        """Version and sites of the states that the agent was given in this cycle."""

    def begin(self, metric: str) -> int | None:
        """Take up a question; gives the version that its answer must have, None for the first of a cycle."""
        if metric == STATES:
            self._cycle = None
            return None
        if self._cycle is None:
            raise DoubtError(
                "no_states",
                f"{metric} is asked, but no states were answered in this cycle",
            )
        return self._cycle[0]

    def take(self, version: int, rows: Rows) -> None:
        """Let an answer follow the ones before it."""
        self._same_cycle(version, rows)
        missing = self._known[rows.metric] - set(rows.sites)
        if missing:
            raise DoubtError(
                "left_out",
                f"rcmon's answer for {rows.metric} leaves out {some(set(missing))}, which were there before;"
                " if they are gone for good, restart the bridge",
            )
        if version < self._version and rows.time <= self._time:
            raise DoubtError(
                "backwards",
                f"rcmon went back from version {self._version} to {version}",
            )
        self._known[rows.metric] = frozenset(rows.sites)
        self._version, self._time = version, rows.time
        if rows.metric == STATES:
            self._cycle = version, frozenset(rows.sites)

    def _same_cycle(self, version: int, rows: Rows) -> None:
        if rows.metric == STATES or self._cycle is None:
            return
        pinned, sites = self._cycle
        if version != pinned:
            self._cycle = None
            raise DoubtError(
                "version",
                f"rcmon went from version {pinned} to {version} within one cycle of the agent",
            )
        strange = set(rows.sites) - sites
        if strange:
            raise DoubtError("no_state", f"rcmon's answer has slots, but no state, for {some(strange)}")
