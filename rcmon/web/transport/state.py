"""What the connections of one server share."""

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct
from tornado.http1connection import HTTP1ConnectionParameters
from tornado.httputil import HTTPConnection, HTTPMessageDelegate

from rcmon.access.gate import Gate
from rcmon.access.handshake.sessions import SessionChains
from rcmon.telemetry.own import REQUESTS_REFUSED
from rcmon.telemetry.tally import Tally
from rcmon.web.transport.accesslog import AccessLog
from rcmon.web.transport.bodies import Bodies
from rcmon.web.transport.exchange import Exchange
from rcmon.web.transport.guard import ClientLimits, Guard
from rcmon.web.transport.hosts import Hosts
from rcmon.web.transport.pace import Buckets
from rcmon.web.transport.peer import Peer
from rcmon.web.transport.request import Request
from rcmon.web.transport.request_count import Authorized, RequestCount


class ShortRoute(Struct, frozen=True):
    """A resource whose answers are ready."""

    route: str
    """As metrics and the access log name it."""
    bind: Callable[[Request], Callable[[], object]]
    """Give what answers a request, each time it comes: it checks the role and returns a `Ready`."""


ShortRoutes = Mapping[str, ShortRoute]
"""By path."""


class ServerState(Struct, kw_only=True, eq=False):
    """One worker's server, as its connections see it."""

    gate: Gate
    chains: SessionChains
    guard: Guard
    hosts: Hosts
    pace: Buckets
    bodies: Bodies
    ids: Iterator[str]
    """For requests that bring none."""
    limits: ClientLimits
    tally: Tally
    requests: RequestCount
    access_log: AccessLog
    short_routes: ShortRoutes
    parameters: HTTP1ConnectionParameters
    start_request: Callable[[object, HTTPConnection], HTTPMessageDelegate]
    """Takes a request that goes Tornado's way."""
    date: bytes = b""
    """The Date field, with its CRLF."""
    draining: bool = False
    """Whether each connection ends behind its next answer."""

    def refused(self, reason: str) -> None:
        """Count a request that no handler saw, by one of `rcmon.telemetry.own.REQUEST_REFUSALS`."""
        self.tally.count(REQUESTS_REFUSED, reason)

    def answered(self, peer: Peer, exchange: Exchange, authorized: Authorized | None) -> None:
        """Count and log a request, and the outcome of its role check."""
        seconds = exchange.seconds if exchange.begun is None else exchange.begun
        self.requests.answered(exchange.route, exchange.method, exchange.status, seconds, authorized)
        self.access_log.request(peer.caller, peer.remote_ip, exchange)
