"""What a web process grants its clients, told: each bound, what is taken of it, and how often it struck."""

from collections.abc import Iterator

from rcmon.telemetry.metric import Metric
from rcmon.telemetry.own import (
    BODIES_HELD,
    BODIES_REFUSED,
    CONNECTIONS,
    CONNECTIONS_REFUSED,
    HANDSHAKES,
    REQUESTS_REFUSED,
    STREAMS,
    STREAMS_REFUSED,
)
from rcmon.web.api.status_shapes import BoundStatus
from rcmon.web.events.room import StreamLimits
from rcmon.web.telemetry.totals import Totals
from rcmon.web.transport.guard import ClientLimits, handshakes_of_one


def stream_limits(limits: ClientLimits) -> StreamLimits:
    """Take those of streams out of what a worker grants its clients."""
    return StreamLimits(limits.streams, limits.streams_per_identity)


def tell_bounds(totals: Totals, limits: ClientLimits) -> tuple[BoundStatus, ...]:
    """Tell of every bound; what is in use and how often it struck are those of all web processes."""
    return tuple(_bounds(totals, limits))


def _bounds(totals: Totals, limits: ClientLimits) -> Iterator[BoundStatus]:
    def bound(
        name: str, most: float, counter: Metric, reason: str, used: Metric | None = None
    ) -> BoundStatus:
        now = totals.value(used) if used else None
        struck = totals.value(counter, reason) or 0
        return BoundStatus(name, int(most) or None, None if now is None else int(now), int(struck))

    refused, bodies = CONNECTIONS_REFUSED, BODIES_REFUSED
    yield bound("connections", limits.connections, refused, "total", CONNECTIONS)
    yield bound("connections_per_address", limits.per_address, refused, "address")
    yield bound("connections_per_identity", limits.per_identity, refused, "identity")
    yield bound("handshakes", limits.handshakes, refused, "handshakes", HANDSHAKES)
    yield bound("handshakes_per_address", handshakes_of_one(limits), refused, "handshakes_of_address")
    yield bound("requests_per_second_and_identity", limits.request_rate, REQUESTS_REFUSED, "rate")
    yield bound("body_bytes", limits.body_memory, bodies, "total", BODIES_HELD)
    yield bound("body_bytes_per_identity", limits.body_memory_per_identity, bodies, "identity")
    yield bound("streams", limits.streams, STREAMS_REFUSED, "total", STREAMS)
    yield bound("streams_per_identity", limits.streams_per_identity, STREAMS_REFUSED, "identity")
