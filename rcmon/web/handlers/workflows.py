"""Who holds the slots at a site."""

from msgspec import Raw, json

from rcmon.access.roles import Role
from rcmon.documents.shapes import TaskHolders, WorkflowsDocument
from rcmon.timestamps import iso
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.contract import gives
from rcmon.web.api.query import Pretty
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class SiteWorkflowsHandler(Handler):
    """One site's workflows by task type: those with most running and most pending jobs, over all agents."""

    route = "/api/sites/{site}/workflows"
    summary = "Who holds the slots at one site: the workflows with most jobs by task type, over all agents."
    query: Pretty

    @requires(Role.READER)
    @gives(WorkflowsDocument, named=(TaskHolders,))
    async def get(self, site: str) -> Ready:
        """Answer with the lists that the collector made."""
        held = self.held()
        found = (await held.sites()).get(site)
        if found is None:
            raise Problem(404, f"There is no site {site!r} in the snapshot.", site=site)
        if found.workflows is None:
            raise held.missing("workflows")
        tasks = len(json.decode(found.workflows, type=list[Raw]))
        return self.json(
            WorkflowsDocument(iso(held.facts.started), site, tasks, tasks, None, Raw(found.workflows))
        )


HANDLERS = (SiteWorkflowsHandler,)
