"""What handlers work with: built once per worker and passed in, but for what is the same in all of them."""

import asyncio
import functools
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, field

from rcmon.access.trust import Trust
from rcmon.files.follower import Follower
from rcmon.monitoring.runbooks import Runbook, runbooks
from rcmon.process.scoreboard import Scoreboard
from rcmon.steering import ControlSettings, follow_control
from rcmon.store import Store
from rcmon.telemetry.own import STREAMS, STREAMS_REFUSED
from rcmon.telemetry.tally import Tally
from rcmon.web.about import About
from rcmon.web.answers.ready import Ready
from rcmon.web.api.catalog import Resource, index
from rcmon.web.api.contract import Operation
from rcmon.web.api.findings import Acknowledgements
from rcmon.web.api.openapi import openapi, written
from rcmon.web.api.overrides import Overrides
from rcmon.web.api.quarantine import QuarantineDesk
from rcmon.web.api.reports import Reports
from rcmon.web.api.status import StatusReport
from rcmon.web.api.status_shapes import StreamsStatus
from rcmon.web.api.steering import Steering
from rcmon.web.api.weights import Weights
from rcmon.web.board import Board
from rcmon.web.bounds import stream_limits, tell_bounds
from rcmon.web.events.hub import Hub
from rcmon.web.events.lookout import Lookout
from rcmon.web.events.room import StreamLimits, StreamRoom
from rcmon.web.page.assets import Assets
from rcmon.web.page.pages import Pages
from rcmon.web.page.trend import Trend
from rcmon.web.telemetry.exposition import Exposition
from rcmon.web.telemetry.told import Seen
from rcmon.web.telemetry.totals import Totals
from rcmon.web.transport.guard import ClientLimits


class Handbook(Struct, frozen=True):
    """What is told of the service's resources and of what it raises: the same as long as it runs.

    It is made once, before the fork, since that takes longer than all else that a worker does at its start.
    """

    resources: tuple[Resource, ...]
    index: Ready
    contract: Mapping[str, Any]
    """The OpenAPI document."""
    openapi: Ready
    """The same, ready to send."""
    runbooks: Mapping[str, Runbook]


def make_handbook(
    about: About, resources: tuple[Resource, ...], operations: tuple[Operation, ...]
) -> Handbook:
    """Write what is told of resources."""
    contract = openapi(about, operations)
    return Handbook(resources, index(about, resources), contract, written(contract), runbooks())


class Parts(Struct, frozen=True, kw_only=True):
    """What a worker hands in."""

    about: About
    board: Board
    store: Store
    totals: Totals
    scoreboard: Scoreboard
    trust: Trust
    pages: Pages
    handbook: Handbook
    clock: Callable[[], float]
    """Seconds since the epoch."""
    control: Follower[ControlSettings] = field(default_factory=lambda: follow_control(None))
    tally: Tally | None = None
    limits: ClientLimits = ClientLimits()
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the worker is to end."""


class Services(Struct, frozen=True):
    """What one worker's handlers work with."""

    about: About
    board: Board
    store: Store
    status: StatusReport
    exposition: Exposition
    pages: Pages
    trend: Trend
    handbook: Handbook
    assets: Assets
    clock: Callable[[], float]
    reports: Reports
    acknowledgements: Acknowledgements
    overrides: Overrides
    control: Follower[ControlSettings]
    steering: Steering
    quarantine: QuarantineDesk
    weights: Weights
    hub: Hub


def make_services(parts: Parts) -> Services:
    """Build what the handlers work with from what the worker has."""
    about, board = parts.about, parts.board
    status = StatusReport(
        about,
        board,
        parts.scoreboard,
        parts.trust,
        parts.clock,
        streams=functools.partial(tell_streams, parts.totals, stream_limits(parts.limits)),
        bounds=functools.partial(tell_bounds, parts.totals, parts.limits),
        control=parts.control,
    )
    acknowledgements = Acknowledgements(parts.store, parts.clock)
    seen = Seen(about, board, parts.scoreboard, parts.trust, status.causes, parts.control)
    return Services(
        about=about,
        board=board,
        store=parts.store,
        status=status,
        exposition=Exposition(seen, parts.totals),
        pages=parts.pages,
        trend=Trend(parts.store, parts.clock),
        handbook=parts.handbook,
        assets=parts.pages.assets,
        clock=parts.clock,
        reports=Reports(parts.store, parts.clock),
        acknowledgements=acknowledgements,
        overrides=Overrides(parts.store),
        control=parts.control,
        steering=Steering(parts.store, parts.control, parts.tally, parts.clock, parts.stop),
        quarantine=QuarantineDesk(parts.store, parts.clock),
        weights=Weights(parts.store, parts.clock),
        hub=Hub(
            Lookout(board, parts.store, acknowledgements),
            StreamRoom(stream_limits(parts.limits), parts.tally),
            parts.stop,
        ),
    )


def tell_streams(totals: Totals, limits: StreamLimits) -> StreamsStatus:
    """Tell of the streams of events of all web processes."""
    refused = sum(count or 0.0 for _, count in totals.samples(STREAMS_REFUSED))
    return StreamsStatus(
        open=int(totals.value(STREAMS) or 0),
        refused=int(refused),
        most=limits.total,
        most_per_identity=limits.per_identity,
    )
