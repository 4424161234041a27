"""What becomes of files that change while the service runs: told once, and remembered while it lasts."""

import logging
from collections.abc import Collection

from rcmon.errors import writable

LOG = logging.getLogger(__name__)


class Reloads:
    """The reloads of one kind of files, named `what`.

    A refusal is logged once, and its end too; `errors` says what is refused while it lasts, `warnings` what
    is in use and yet may not be meant.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.errors: tuple[str, ...] = ()
        self.warnings: tuple[str, ...] = ()

    @property
    def reason(self) -> str | None:
        """Why the newest content is not in use; None: it is."""
        return "; ".join(self.errors) or None

    def warn(self, warnings: Collection[str]) -> None:
        """Note what may not be meant in the content that is in use; each is logged once."""
        before, self.warnings = self.warnings, tuple(map(writable, warnings))
        for warning in self.warnings:
            if warning not in before:
                LOG.warning("%s: %s", self.what, warning)

    def tell(self, errors: Collection[str], *, news: bool, again: bool = False) -> bool | None:
        """Note how a look at the files ended: what is wrong with them, and whether anything new is in use.

        True: something was taken up, or is good again; False: something was refused; None: nothing new.
        `again`: somebody asked, so that what was refused before is told once more.
        """
        before, self.errors = self.errors, tuple(map(writable, errors))
        refused = [error for error in self.errors if again or error not in before]
        for error in refused:
            LOG.error("%s refused: %s; what was good before stays in use", self.what, error)
        if refused:
            return False
        if before and not self.errors:
            LOG.info("%s: what was refused is good now, and in use", self.what)
        return True if news or len(self.errors) < len(before) else None
