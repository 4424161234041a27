"""What becomes of the files that a process follows: counted, shown as gauges, and told as its trouble."""

import time
from collections.abc import Callable, Iterable, Mapping

from rcmon.telemetry.own import RELOAD_SUCCEEDED, RELOAD_SUCCESS_TIME, RELOADS
from rcmon.telemetry.tally import Tally

_TROUBLES = {"roles": "roles_file", "sources": "sources_file", "control": "control_file"}
"""What a kind of files is called among the troubles, where that is not its own name."""


class ReloadReport:
    """Tells for one process. `trouble` takes what is in trouble and why, or None when it is no more."""

    def __init__(
        self,
        tally: Tally,
        trouble: Callable[[str, str | None], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tally, self._trouble, self._clock = tally, trouble, clock
        self._seen: set[str] = set()

    def tell(self, outcomes: Iterable[tuple[str, bool]], reasons: Mapping[str, str | None]) -> None:
        """Tell how a look at the files ended.

        `outcomes`: what was reloaded, and whether it was taken up; `reasons`: of each kind of files why its
        newest content is not in use, None where it is.
        """
        taken_up = {what for what, reason in reasons.items() if reason is None and what not in self._seen}
        self._seen |= reasons.keys()
        for what, succeeded in outcomes:
            self._tally.count(RELOADS, what, "success" if succeeded else "failure")
            if succeeded:
                taken_up.add(what)
        for what in taken_up:
            self._tally.set(RELOAD_SUCCESS_TIME, self._clock(), what)
        for what, reason in reasons.items():
            self._tally.set(RELOAD_SUCCEEDED, float(reason is None), what)
            self._trouble(_TROUBLES.get(what, what), reason)
