"""What needs an operator's attention."""

from rcmon.access.roles import Role
from rcmon.documents import keys
from rcmon.documents.shapes import FindingsDocument
from rcmon.timestamps import iso
from rcmon.web.answers.answer import Bare
from rcmon.web.answers.headers import NO_STORE
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.contract import gives, takes
from rcmon.web.api.findings import LARGEST, AcknowledgementBody, FindingsQuery, behind, choose, joined, listed
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class FindingsHandler(Handler):
    """All findings, or those that a query selects."""

    route = "/api/findings"
    summary = "What needs attention, and why: severity, since when, where, and who acknowledged it."
    query: FindingsQuery

    @requires(Role.READER)
    @gives(FindingsDocument)
    async def get(self) -> Ready:
        """Answer with the snapshot's findings: ready bytes where nothing is asked or acknowledged."""
        held, asked = self.held(), self.query
        acknowledged = await self.services.acknowledgements.in_force()
        if not acknowledged and asked == self.reader.nothing:
            return held.ready(keys.FINDINGS)
        chosen = choose(joined(listed(held), acknowledged), asked)
        rest = behind(chosen, asked.cursor)
        part = rest[: asked.limit]
        more = self.onward("cursor", part[-1].id) if len(rest) > len(part) else None
        return self.json(FindingsDocument(iso(held.facts.started), len(part), len(chosen), more, part))


class AcknowledgementHandler(Handler):
    """One finding's acknowledgement: PUT `{"reason": ..., "until": ...}` makes it, DELETE ends it."""

    route = "/api/findings/{finding}/acknowledgement"
    summary = (
        "An operator knows of a finding: PUT a reason and until when (a day, at most 30); DELETE ends it."
    )
    max_body = LARGEST

    @requires(Role.OPERATOR)
    @gives(statuses=(204,))
    @takes(AcknowledgementBody)
    async def put(self, finding: str) -> Bare:
        """Acknowledge a finding that is listed now."""
        if not self._is_listed(finding):
            raise self._unknown(finding)
        await self.services.acknowledgements.acknowledge(finding, self.request)
        return Bare(204, (NO_STORE,))

    @requires(Role.OPERATOR)
    @gives(statuses=(204,))
    async def delete(self, finding: str) -> Bare:
        """End an acknowledgement; once more changes nothing."""
        if not await self.services.acknowledgements.end(finding, self.request) and not self._is_listed(
            finding
        ):
            raise self._unknown(finding)
        return Bare(204, (NO_STORE,))

    def _is_listed(self, finding: str) -> bool:
        return any(one.id == finding for one in listed(self.held()))

    def _unknown(self, finding: str) -> Problem:
        return Problem(404, f"There is no finding {finding[:100]!r} now.", finding=finding[:100])


HANDLERS = (FindingsHandler, AcknowledgementHandler)
