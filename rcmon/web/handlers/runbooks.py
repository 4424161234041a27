"""What each alert and each kind of finding means, and what to do."""

from rcmon.access.roles import Role
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.auth import requires
from rcmon.web.base import Handler
from rcmon.web.handlers.framed import show
from rcmon.web.page.marked import marked


class RunbooksHandler(Handler):
    """The list of them."""

    route = "/runbooks"
    summary = "The pages of all runbooks: one for each alert and each kind of finding."

    @requires(Role.READER)
    def get(self) -> Ready:
        """Answer with the list."""
        pages = self.services.handbook.runbooks.values()
        alerts = [page for page in pages if page.kind == "alert"]
        found = [page for page in pages if page.kind == "finding"]
        groups = (("Alerts", alerts), ("Findings", found))
        return show(self, "runbooks.html", "runbooks", groups=groups, marked=marked)


class RunbookHandler(Handler):
    """One of them."""

    route = "/runbooks/{runbook}"
    summary = "The page of one alert or kind of finding: what it means, where to look, what to do."

    @requires(Role.READER)
    def get(self, runbook: str) -> Ready:
        """Answer with the page."""
        found = self.services.handbook.runbooks.get(runbook)
        if found is None:
            raise Problem(404, f"There is no runbook {runbook[:200]!r}: /runbooks lists them.")
        return show(self, "runbook.html", "runbooks", runbook=found, marked=marked)


HANDLERS = (RunbooksHandler, RunbookHandler)
