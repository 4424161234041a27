"""What operators set in place of what would hold by itself."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from rcmon.access.roles import Role
from rcmon.model import Spot
from rcmon.rules.forcing import Grid
from rcmon.timestamps import iso
from rcmon.web.answers.answer import Written
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.content import read_json
from rcmon.web.api.contract import gives, takes
from rcmon.web.api.override_body import (
    LARGEST,
    LARGEST_BATCH,
    BatchBody,
    BatchEntry,
    ChangeShape,
    OverrideBody,
    OverridesDocument,
    OverrideShape,
    UndoBody,
    change_shape,
    nothing_changed,
    shape,
    understood,
)
from rcmon.web.api.override_preview import PreviewDocument, preview
from rcmon.web.api.overrides import Author, Done, Wish, places_of
from rcmon.web.api.preconditions import Precondition, read_precondition
from rcmon.web.api.query import Pretty
from rcmon.web.auth import requires
from rcmon.web.base import Handler

MOST = 10_000
_DIGITS = 15


class OverrideQuery(Pretty, frozen=True, kw_only=True):
    """How a change is asked for."""

    preview: bool = False
    """Whether it is only told what it would do."""

    force: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00-\x1f\x7f]{1,1000}$(?!\n)",
            description="a second reason, for what closes many sites at once",
        ),
    ] = ""


class OverridesQuery(OverrideQuery, frozen=True, kw_only=True):
    """Which part of the list."""

    limit: Annotated[int, Meta(ge=1, le=MOST)] = MOST
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class OverrideHandler(Handler):
    """What the resources of overrides share."""

    query: OverrideQuery

    @property
    def subject(self) -> str:
        """Who asks."""
        return str(self.request.peer.identity.subject)

    async def author(self, now: float) -> Author:
        """Say who changes overrides; Problem 503 where it is not known what there is to be changed."""
        held = self.held()
        why = await held.why()
        grid = Grid(len(why.sites), lambda site: places_of(why, site), self.services.control.value.guard)
        return Author(self.subject, now, grid, self.query.force)

    async def foreseen(self, wishes: Sequence[Wish], now: float) -> Written:
        """Tell what wishes would do; nothing is done."""
        plan = await self.services.overrides.plan(wishes, await self.author(now))
        return self.written(await preview(self.held(), plan, now))

    def told(self, done: Done) -> Written:
        """Tell what was done, or that there was nothing to do."""
        if done.change is None:
            return self.written(nothing_changed(done.overrides))
        return self.written(change_shape(done.change), tag=done.change.tag)

    async def check_known(self, spot: Spot) -> None:
        """Hold that the snapshot has a site and the agent that it is to be set in; Problem 404 otherwise."""
        site, agent = spot
        held = self.held()
        found = (await held.sites()).get(site)
        if found is None:
            raise Problem(404, f"There is no site {site[:200]!r} in the snapshot.", site=site[:200])
        if agent is not None and agent not in found.agents:
            if agent in held.facts.agents:
                detail = f"Agent {agent[:200]!r} has no such site: {site!r}."
            else:
                detail = f"There is no agent {agent[:200]!r} in the snapshot."
            raise Problem(404, detail, agent=agent[:200], site=site)

    def wish(self, spot: Spot, body: OverrideBody | None, given: Precondition | None, now: float) -> Wish:
        """Say what is wanted at a place; Problem 422 where the body cannot be meant."""
        if body is None:
            return Wish(spot, None, given)
        wanted = understood(body, *spot, self.subject, now)
        return Wish(spot, wanted, given, default_end=body.until is None)


class PlaceHandler(OverrideHandler):
    """The override of one place."""

    max_body = LARGEST

    @requires(Role.READER)
    @gives(OverrideShape)
    async def get(self, site: str, agent: str | None = None) -> Ready:
        """Answer with it."""
        found = shape(await self.services.overrides.at((site, agent)))
        return self.json(found, found.etag)

    @requires(Role.OPERATOR)
    @gives(OverrideShape, PreviewDocument, statuses=(200, 201), refuses=(409, 412, 428))
    @takes(OverrideBody)
    async def put(self, site: str, agent: str | None = None) -> Written:
        """Set it."""
        spot, now = (site, agent), self.services.clock()
        given = read_precondition(self.request.headers)
        body = read_json(self.request.headers, self.request.body, LARGEST, OverrideBody, "override")
        wish = self.wish(spot, body, given, now)
        await self.check_known(spot)
        if self.query.preview:
            return await self.foreseen([wish], now)
        done = await self.services.overrides.grant([wish], "set", await self.author(now))
        made = shape(done.overrides[0])
        created = done.change is not None and not done.repeated and done.change.spots[0].before is None
        return self.written(made, 201 if created else 200, made.etag)

    @requires(Role.OPERATOR)
    @gives(ChangeShape, PreviewDocument, refuses=(409, 412, 428))
    async def delete(self, site: str, agent: str | None = None) -> Written:
        """End it."""
        now = self.services.clock()
        wish = self.wish((site, agent), None, read_precondition(self.request.headers), now)
        if self.query.preview:
            return await self.foreseen([wish], now)
        # what ends an override harms nothing: that needs no snapshot
        author = Author(self.subject, now, Grid(0, lambda _: {}, self.services.control.value.guard))
        return self.told(await self.services.overrides.grant([wish], "ended", author))


class SiteOverrideHandler(PlaceHandler):
    """That of a site, in every agent."""

    route = "/api/sites/{site}/override"
    summary = "What an operator sets at a site in every agent: state, slots, how long, and why; PUT, DELETE."


class AgentOverrideHandler(PlaceHandler):
    """That of a site in one agent."""

    route = "/api/agents/{agent}/sites/{site}/override"
    summary = "What an operator sets at a site in one agent, before what is set in every agent; PUT, DELETE."


class OverridesHandler(OverrideHandler):
    """All of them; PUT changes many at once."""

    route = "/api/overrides"
    summary = "All overrides with who set them, until when and why; PUT changes many, all or none of them."
    query: OverridesQuery
    max_body = LARGEST_BATCH

    @requires(Role.READER)
    @gives(OverridesDocument)
    async def get(self) -> Ready:
        """Answer with the list."""
        every = await self.services.overrides.every()
        begin, end = self.query.offset, self.query.offset + self.query.limit
        part = every[begin:end]
        held = self.services.board.current
        more = self.onward("offset", end) if end < len(every) else None
        timestamp = iso(held.facts.started) if held else None
        return self.json(
            OverridesDocument(timestamp, len(part), len(every), more, [shape(one) for one in part])
        )

    @requires(Role.OPERATOR)
    @gives(ChangeShape, PreviewDocument, refuses=(404, 409, 412))
    @takes(BatchBody)
    async def put(self) -> Written:
        """Change many."""
        now = self.services.clock()
        sent = self.request.headers, self.request.body
        body = read_json(*sent, LARGEST_BATCH, BatchBody, "list of overrides")
        wishes = [await self._wish(one, now) for one in _each_once(body.overrides)]
        if self.query.preview:
            return await self.foreseen(wishes, now)
        return self.told(await self.services.overrides.grant(wishes, "set together", await self.author(now)))

    async def _wish(self, entry: BatchEntry, now: float) -> Wish:
        tags = frozenset() if entry.etag is None else frozenset({entry.etag})
        wish = self.wish((entry.site, entry.agent), entry.override, Precondition(not tags, tags), now)
        if entry.override is not None:
            await self.check_known(wish.spot)
        return wish


def _each_once(entries: Sequence[BatchEntry]) -> Sequence[BatchEntry]:
    """Hold that no place stands twice; Problem 422."""
    seen = set()
    for one in entries:
        if (one.site, one.agent) in seen:
            where = f"site {one.site!r}" + (f" in agent {one.agent!r}" if one.agent else "")
            raise Problem(422, f"The body has {where} twice.", site=one.site, agent=one.agent)
        seen.add((one.site, one.agent))
    return entries


class OverrideChangeHandler(OverrideHandler):
    """One change."""

    route = "/api/overrides/{change}"
    summary = "One change of overrides: what was before and after, who made it, and when."
    query: Pretty  # type: ignore[assignment]

    @requires(Role.READER)
    @gives(ChangeShape)
    async def get(self, change: str) -> Ready:
        """Answer with it."""
        found = await self.services.overrides.change(_number(change))
        return self.json(change_shape(found), found.tag)


class OverrideUndoHandler(OverrideHandler):
    """The undoing of a change."""

    route = "/api/overrides/{change}/undo"
    summary = "POST restores what was before a change of overrides, where it was the last there."
    query: OverrideQuery
    max_body = LARGEST

    @requires(Role.OPERATOR)
    @gives(ChangeShape, refuses=(409, 412, 428))
    @takes(UndoBody, needed=False)
    async def post(self, change: str) -> Written:
        """Undo it."""
        given, sent, body = read_precondition(self.request.headers), self.request.body, UndoBody()
        if sent:
            body = read_json(self.request.headers, sent, LARGEST, UndoBody, "reason to undo")
        author = await self.author(self.services.clock())
        made = await self.services.overrides.undo(_number(change), given, body.reason, author)
        return self.written(change_shape(made), tag=made.tag)


def _number(text: str) -> int:
    """Read a change's number; Problem 404 where it is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise Problem(404, f"There is no change {text[:100]!r} of overrides; they have whole numbers.")
    return int(text)


HANDLERS = (
    SiteOverrideHandler,
    AgentOverrideHandler,
    OverridesHandler,
    OverrideChangeHandler,
    OverrideUndoHandler,
)
