"""What sites were over time, and all of them together."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import Connection

from rcmon.access.roles import Role
from rcmon.errors import StoreError
from rcmon.model import GridPoint
from rcmon.store.extract import Extract, Span, read_site
from rcmon.store.grid import count_grid, read_grid, read_steps
from rcmon.store.horizons import Horizons, read_horizons
from rcmon.store.packing import COARSE
from rcmon.timestamps import iso
from rcmon.web.about import BASE
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.contract import gives
from rcmon.web.api.past import (
    HistoryDocument,
    Part,
    PastQuery,
    SiteHistoryDocument,
    grid_point,
    read_part,
    site_point,
)
from rcmon.web.api.query import Agent
from rcmon.web.api.stepped import read_stepped
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class HistoryQuery(PastQuery, frozen=True, kw_only=True):
    """Which part of a site's history."""

    agent: Agent = ""


class SiteHistoryHandler(Handler):
    """One site's history, by agent: each series holds what it became until the next point."""

    route = "/api/sites/{site}/history"
    summary = "One site over time in each agent: state, slots and jobs; each point holds until the next."
    query: HistoryQuery

    @requires(Role.READER)
    @gives(SiteHistoryDocument)
    async def get(self, site: str) -> Ready:
        """Answer with every change from a time to a time, or with what held at each step."""
        part = read_part(self.query, self.services.clock())
        try:
            members = await (self._steps(site, part) if part.step else self._changes(site, part))
        except StoreError as error:
            raise _unreadable(error) from error
        held = self.services.board.current
        head = {"timestamp": iso(held.facts.started) if held else None, "site": site}
        return self.json({**head, "from": iso(part.since), "to": iso(part.until), **members})

    async def _changes(self, site: str, part: Part) -> dict[str, Any]:
        asked = self.query
        span = Span(part.since, part.until, asked.most, asked.agent or None, asked.task)
        async with self.services.store.asking() as connection:
            found = await read_site(connection, site, span)
            horizons = await connection.run_sync(read_horizons)
        await self._must_be_known(site, found.known)
        series: dict[str, list[dict[str, Any]]] = {}
        for row in (*found.held, *found.changes):
            series.setdefault(row.agent, []).append(site_point(row, row.time, asked.task))
        return {
            "resolution": _resolution(part, horizons),
            "count": len(found.held) + len(found.changes),
            "total": len(found.held) + found.total,
            "next": self._next(site, span, found),
            "series": [{"agent": agent, "points": series[agent]} for agent in sorted(series)],
        }

    async def _steps(self, site: str, part: Part) -> dict[str, Any]:
        asked = self.query
        found = await read_stepped(self.services.store, site, part, asked.agent, asked.task)
        await self._must_be_known(site, bool(found.series))
        series = [{"agent": agent, "points": points} for agent, points in found.series.items()]
        count = sum(map(len, found.series.values()))
        return {
            "resolution": max(part.step, found.resolution),
            "count": count,
            "total": count,
            "next": None,
            "series": series,
        }

    async def _must_be_known(self, site: str, kept: bool) -> None:  # noqa: FBT001 - as it was found
        board = self.services.board.current
        if not (kept or (board is not None and site in await board.sites())):
            raise Problem(404, f"There is no site {site!r} in the snapshot or in the history.", site=site)

    def _next(self, site: str, span: Span, found: Extract) -> str | None:
        """Write where the history goes on; there each series begins with what held at that time."""
        if found.next is None:
            return None
        asked: dict[str, object] = {"from": repr(found.next), "to": repr(span.until), "limit": span.limit}
        asked |= {name: text for name in ("agent", "task") if (text := getattr(self.query, name))}
        return f"{BASE}/api/sites/{quote(site, safe='')}/history?{urlencode(asked)}"


class HistoryHandler(Handler):
    """All sites together over time."""

    route = "/api/history"
    summary = "All sites together over time: jobs, slots, and how many sites are in each state."
    query: PastQuery

    @requires(Role.READER)
    @gives(HistoryDocument)
    async def get(self) -> Ready:
        """Answer with every change from a time to a time, or with what held at each step."""
        asked = self.query
        part = read_part(asked, self.services.clock())
        steps = list(part.times()) if part.step else []
        limit = 0 if part.step else asked.most + 1

        def read(
            connection: Connection,
        ) -> tuple[Sequence[GridPoint | None], Sequence[GridPoint], int, Horizons]:
            held = read_steps(connection, steps)
            found = read_grid(connection, part.since, part.until, limit)
            total = len(steps) if part.step else count_grid(connection, part.since, part.until)
            return held, found, total, read_horizons(connection)

        try:
            held, found, total, horizons = await self.services.store.ask(read)
        except StoreError as error:
            raise _unreadable(error) from error
        following = None
        if part.step:
            points = [grid_point(*one, asked.task) for one in zip(held, steps, strict=True)]
        else:
            page = found[: asked.most]
            points = [grid_point(point, point.time, asked.task) for point in page]
            following = self._next(part, found[-1].time) if len(found) > len(page) else None
        board = self.services.board.current
        return self.json(
            {
                "timestamp": iso(board.facts.started) if board else None,
                "from": iso(part.since),
                "to": iso(part.until),
                "resolution": max(part.step, _resolution(part, horizons)),
                "count": len(points),
                "total": total,
                "next": following,
                "points": points,
            }
        )

    def _next(self, part: Part, since: float) -> str:
        asked: dict[str, object] = {"from": repr(since), "to": repr(part.until), "limit": self.query.most}
        asked |= {"task": self.query.task} if self.query.task else {}
        return f"{BASE}{self.route}?{urlencode(asked)}"


def _resolution(part: Part, horizons: Horizons) -> int:
    """Tell how many seconds may lie between what is kept there; 0: every change is."""
    return COARSE if part.since < horizons.raw else 0


def _unreadable(error: StoreError) -> Problem:
    detail = f"The history cannot be read just now: {error}"
    return Problem(503, detail, fields=(("Retry-After", "5"),))


HANDLERS = (SiteHistoryHandler, HistoryHandler)
