"""What a connection knows of the server that it belongs to."""

from collections.abc import Mapping
from typing import Protocol

from tornado.http1connection import HTTP1ConnectionParameters
from tornado.httputil import HTTPConnection, HTTPMessageDelegate
from tornado.web import Application

from rcmon.access.gate import Gate
from rcmon.access.handshake.sessions import SessionChains
from rcmon.web.base import Handler
from rcmon.web.transport.exchange import Exchange
from rcmon.web.transport.guard import Guard, Limits
from rcmon.web.transport.peer import Peer

ShortRoutes = Mapping[str, type[Handler]]
"""By path: the handlers whose answers are ready."""


class Host(Protocol):
    """One worker's server, as its connections see it."""

    application: Application
    gate: Gate
    chains: SessionChains
    guard: Guard
    limits: Limits
    short_routes: ShortRoutes
    parameters: HTTP1ConnectionParameters
    date: bytes
    """The Date field, with its CRLF."""
    draining: bool
    """Whether each connection ends behind its next answer."""

    def answered(self, peer: Peer, exchange: Exchange) -> None:
        """Count and log a request."""

    def decided(self, handler: Handler) -> None:
        """Count the outcome of a handler's role check."""

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Take a request that goes Tornado's way."""
