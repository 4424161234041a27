"""One client's connection: handshake, identity, then request after request.

A request with a canonical head for a route whose answers are ready takes the short way. Any other is
played to Tornado's own HTTP/1 connection, so that bodies, errors, asynchronous handlers and odd clients
have one true parser.
"""

import asyncio
import contextlib
import logging
import math
import socket
import time
from collections.abc import Callable

from tornado.iostream import StreamClosedError

from rcmon.errors import IdentityError
from rcmon.telemetry.own import OTHER
from rcmon.web.answers.headers import Field
from rcmon.web.transport import heads, last_words
from rcmon.web.transport.exchange import Exchange
from rcmon.web.transport.handshake_reasons import detail_of, reason_of
from rcmon.web.transport.objections import Objection, objection
from rcmon.web.transport.peer import Peer
from rcmon.web.transport.said import said
from rcmon.web.transport.secured import SecuredStream
from rcmon.web.transport.shortway import ShortWay
from rcmon.web.transport.state import ServerState
from rcmon.web.transport.targets import in_origin_form
from rcmon.web.transport.tornado_way import Stock
from rcmon.web.transport.wire import LINGER, LINGER_READS, READ_SIZE, Wire

LOG = logging.getLogger("rcmon.web.transport.server")
_TURN = 32
"""So many requests of one connection, then others have a turn."""
_LATER: tuple[Field, ...] = (("Retry-After", "1"),)
_TOO_LARGE = Objection("head_size", 431, last_words.DETAILS[431])


class Connection:
    """One connection; it serves itself, in `task`, until it ends, and then calls `ended`."""

    def __init__(
        self, state: ServerState, stream: SecuredStream, address: str, ended: Callable[["Connection"], None]
    ) -> None:
        self._state, self._limits, self._ended = state, state.limits, ended
        self._secured = stream.socket
        self.wire = Wire(stream, state.limits.write_timeout)
        self.wire.deadline = time.monotonic() + state.limits.handshake_timeout
        self.peer = Peer(address, state.gate)
        self._entered = False
        self._short = ShortWay(state, self.wire, self.peer) if state.short_routes else None
        self.task = asyncio.ensure_future(self._serve())

    async def _serve(self) -> None:
        """Serve until the end; never raises for what a client does."""
        try:
            if await self._is_admitted():
                await self._requests()
        except StreamClosedError:
            pass  # the client is gone, or was cut
        except Exception:
            LOG.exception("the connection from %s failed", self.peer)
        finally:
            self.wire.close()
            self._state.chains.ended(self._secured)
            if self._entered:
                self._state.guard.leaves(self.peer.identity)
                self._state.pace.leaves(self.peer.bucket)
            self._ended(self)

    async def _is_admitted(self) -> bool:
        """Finish the handshake and take the identity from the verified chain, once per connection."""
        guard, address = self._state.guard, self.peer.remote_ip
        try:
            await self._handshake()
        except (OSError, AttributeError) as error:  # Tornado hands on whatever ended it
            reason = "timeout" if self.wire.timed_out else reason_of(error)
            guard.refused(reason, address, detail_of(error))
            await self.wire.see_off()
            return False
        self.wire.stream.shakes_hands = False
        self.wire.deadline = time.monotonic() + self._limits.request_timeout
        try:
            chain = self._state.chains.chain_of(self._secured)
        except IdentityError as error:  # cut, that the client may shake hands in full: it is nobody's fault
            guard.refused(error.reason, address, str(error))
            return False
        try:
            self.peer.proved(self._state.gate.admit(chain))
        except IdentityError as error:
            guard.refused(error.reason, address, str(error))
            head = await self.wire.next_head(self._limits.request_timeout)
            await self._turn_away(403, f"This certificate proves no identity: {error}", head)
            return False
        self._entered = guard.enters(self.peer.identity, address)
        if self._entered:
            self.peer.bucket = self._state.pace.enters(self.peer.identity)
        return self._entered

    async def _handshake(self) -> None:
        stream = self.wire.stream
        try:
            await stream.wait_for_handshake()
        finally:
            self._state.guard.shaken(self.peer.remote_ip)
        if stream.closed():
            raise StreamClosedError(real_error=stream.error)
        with contextlib.suppress(OSError):
            # without tickets a client with Nagle's algorithm would stall for the delayed acknowledgement
            stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    async def _requests(self) -> None:
        """Answer requests one after the other, in their order, however many are pipelined."""
        repeat = self._short.again if self._short else None
        answered = 0
        while True:
            head = await self.wire.next_head(self._limits.request_timeout)
            if len(head) > heads.MOST:
                await self._object(_TOO_LARGE, head)
                return
            self.wire.deadline = math.inf
            if not await (self._answer(head) if self.peer.bucket.take() else self._slow_down(head)):
                if self.wire.is_readable() and not self.wire.stream.reading():
                    await self._part()
                return
            self.wire.rest(self._limits.idle_timeout, repeat)
            answered += 1
            if answered % _TURN == 0:
                await asyncio.sleep(0)

    async def _answer(self, head: bytes) -> bool:
        """Answer one request; whether the connection stays open."""
        if self._short is not None and (keep := self._short.answer(head)) is not None:
            await self._short.pour()
            await self.wire.flushed()
            return keep
        if (wrong := objection(head, self._state.hosts)) is not None:
            await self._object(wrong, head)
            return False
        stock = Stock(self._state, self.wire, self.peer, in_origin_form(head))
        keep = await stock.answer()
        if stock.replay.refused or stock.unread:
            await self._part()
        return keep

    async def _slow_down(self, head: bytes) -> bool:
        """Refuse a request of whoever asks too often; whether the connection stays open."""
        self._state.refused("rate")
        detail = (
            f"{self.peer.identity.subject} asks for more than {self._state.pace.rate:g} requests a second"
        )
        detail += " of one web process; the option --max-request-rate-per-identity says how many it may."
        keep = heads.stays_open(head) and not self._state.draining
        await self.wire.write(self._refusal(429, detail, head, *_LATER, keep=keep))
        if not keep:
            await self._part()
        return keep

    async def _object(self, wrong: Objection, head: bytes) -> None:
        """Refuse what no parser may read."""
        self._state.refused(wrong.reason)
        await self._turn_away(wrong.status, wrong.detail, head)

    async def _turn_away(self, status: int, detail: str, head: bytes) -> None:
        """Answer in place of any handler and end the connection."""
        await self.wire.write(self._refusal(status, detail, head))
        await self._part()

    def _refusal(self, status: int, detail: str, head: bytes, *more: Field, keep: bool = False) -> bytes:
        """Make an answer in place of any handler's, and count and log it."""
        request = said(head)
        request_id = request.request_id or next(self._state.ids)
        data = last_words.answer(status, detail, head, self._state.date, request_id, *more, keep=keep)
        exchange = Exchange(OTHER, last_words.method_of(head), status, len(data), 0.0, request, request_id)
        self._state.answered(self.peer, exchange, None)
        return data

    async def _part(self) -> None:
        """Say goodbye and read on for a moment: closing over unread bytes is a reset, and undoes answers."""
        await self.wire.flushed()
        self.wire.say_goodbye()
        self.wire.deadline = time.monotonic() + LINGER
        for _ in range(LINGER_READS):
            await self.wire.stream.read_bytes(READ_SIZE, partial=True)
            await asyncio.sleep(0)
