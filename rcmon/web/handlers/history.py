"""What a site was over time."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from msgspec import Meta

from rcmon.access.roles import Role
from rcmon.errors import StoreError
from rcmon.model import HistoryRow
from rcmon.store.history import Extract, Span, read_site
from rcmon.timestamps import iso
from rcmon.web.about import BASE
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.query import Agent, Moment, Pretty
from rcmon.web.api.times import read_time
from rcmon.web.auth import requires
from rcmon.web.base import Handler

DAY = 86400.0
MOST = 10_000


class HistoryQuery(Pretty, frozen=True, kw_only=True):
    """Which part of a site's history; without times it is the last day's."""

    agent: Agent = ""
    from_: Moment = ""
    to: Moment = ""
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 1000


class SiteHistoryHandler(Handler):
    """One site's history, by agent: each series holds what it became until the next point."""

    route = "/api/sites/{site}/history"
    summary = "One site over time in each agent: state, slots and jobs; each point holds until the next."
    query: HistoryQuery

    @requires(Role.READER)
    async def get(self, site: str) -> Ready:
        """Answer with the points from a time to a time, the one that held at its begin included."""
        span = self._span()
        try:
            async with self.services.store.asking() as connection:
                found = await read_site(connection, site, span)
        except StoreError as error:
            detail = f"The history cannot be read just now: {error}"
            raise Problem(503, detail, fields=(("Retry-After", "5"),)) from error
        board = self.services.board.current
        if not (found.known or (board is not None and site in await board.sites())):
            raise Problem(404, f"There is no site {site!r} in the snapshot or in the history.", site=site)
        return self.json(self._answer(site, span, found))

    def _span(self) -> Span:
        asked = self.query
        to, from_ = read_time("to", asked.to), read_time("from", asked.from_)
        until = self.services.clock() if to is None else to
        since = until - DAY if from_ is None else from_
        if since > until:
            detail = "Parameter 'from' is later than 'to'; allowed is an earlier time."
            raise Problem(400, detail, parameter="from", value=asked.from_, allowed="a time before 'to'")
        return Span(since, until, asked.limit, asked.agent or None)

    def _answer(self, site: str, span: Span, found: Extract) -> dict[str, Any]:
        held = self.services.board.current
        series: dict[str, list[dict[str, Any]]] = {}
        for row in (*found.held, *found.changes):
            series.setdefault(row.agent, []).append(_point(row))
        return {
            "timestamp": iso(held.facts.started) if held else None,
            "site": site,
            "from": iso(span.since),
            "to": iso(span.until),
            "count": len(found.held) + len(found.changes),
            "total": len(found.held) + found.total,
            "next": self._next(site, span, found.next),
            "series": [{"agent": agent, "points": series[agent]} for agent in sorted(series)],
        }

    def _next(self, site: str, span: Span, since: float | None) -> str | None:
        """Write where the history goes on; there each series begins with what held at that time."""
        if since is None:
            return None
        asked: dict[str, object] = {"from": repr(since), "to": repr(span.until), "limit": span.limit}
        if span.agent is not None:
            asked["agent"] = span.agent
        return f"{BASE}/api/sites/{quote(site, safe='')}/history?{urlencode(asked)}"


def _point(row: HistoryRow) -> dict[str, Any]:
    """Write a point; all null: the site had left the agent's snapshot."""
    return {
        "time": iso(row.time),
        "state": row.state,
        "running_slots": row.running_slots,
        "pending_slots": row.pending_slots,
        "running_jobs": row.running_jobs,
        "pending_jobs": row.pending_jobs,
    }


HANDLERS = (SiteHistoryHandler,)
