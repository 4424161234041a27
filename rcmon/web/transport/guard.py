"""Who may connect: caps on open connections, and the count and log of whoever was refused."""

import logging
import os
import resource
import sys
from collections import Counter
from typing import Any

from msgspec import Struct, structs

from rcmon.access.identity import Identity
from rcmon.access.names.dn import Dn
from rcmon.telemetry.own import (
    CONNECTIONS,
    CONNECTIONS_ACCEPTED,
    CONNECTIONS_REFUSED,
    HANDSHAKES,
    HANDSHAKES_FAILED,
)
from rcmon.telemetry.tally import Tally
from rcmon.web.transport.handshake_reasons import detail_of, reason_of
from rcmon.web.transport.said import visible

LOG = logging.getLogger("rcmon.web.transport.server")
_SPARE_FILES = 64
"""File descriptors kept free for the store, the log and the like: without any the accept loop spins."""


class ClientLimits(Struct, frozen=True):
    """What one worker grants its clients; times in seconds."""

    connections: int = 4000
    per_address: int = 1000
    per_identity: int = 1000
    handshakes: int = 1000
    """That are under way at a time; of one address half of them."""
    request_rate: float = 2000.0
    """Requests a second of one identity, for long; 0: as many as come."""
    handshake_timeout: float = 5.0
    request_timeout: float = 10.0
    """For a whole head from its first byte on, and for a body to arrive."""
    body_memory: int = 64 << 20
    """Bytes of bodies that are held at a time."""
    body_memory_per_identity: int = 8 << 20
    streams: int = 1000
    """Of events, that are open at a time."""
    streams_per_identity: int = 100
    idle_timeout: float = 75.0
    write_timeout: float = 30.0
    """Without progress of an answer."""


class Guard:
    """Counts one worker's open connections by address and identity, and those that were refused."""

    def __init__(self, limits: ClientLimits, tally: Tally) -> None:
        self._limits, self._tally = limits, tally
        self._handshakes_of_one = handshakes_of_one(limits)
        self._addresses: Counter[str] = Counter()
        self._identities: Counter[tuple[Dn, Dn]] = Counter()
        self._shaking: Counter[str] = Counter()
        self._open = self._handshakes = 0

    def opens(self, address: str) -> bool:
        """Count a connection in, whose handshake begins; false where there are too many already.

        That is decided before any cryptography. `shaken` and `closes` must follow.
        """
        reason = self._objection(address)
        if reason is not None:
            self._refused(address, *reason)
            return False
        self._open += 1
        self._handshakes += 1
        self._addresses[address] += 1
        self._shaking[address] += 1
        self._tally.change(CONNECTIONS, 1)
        self._tally.change(HANDSHAKES, 1)
        self._tally.count(CONNECTIONS_ACCEPTED)
        return True

    def _objection(self, address: str) -> tuple[str, str] | None:
        """Tell which bound forbids one more of an address, and how to say it."""
        limits = self._limits
        if self._open >= limits.connections:
            return "total", f"{limits.connections} connections are open"
        if self._addresses[address] >= limits.per_address:
            return "address", f"{limits.per_address} connections from there are open"
        if self._handshakes >= limits.handshakes:
            return "handshakes", f"{limits.handshakes} handshakes are under way"
        if self._shaking[address] >= self._handshakes_of_one:
            return "handshakes_of_address", f"{self._handshakes_of_one} handshakes from there are under way"
        return None

    def shaken(self, address: str) -> None:
        """Take note that a handshake ended, however it did."""
        self._handshakes -= 1
        _less(self._shaking, address)
        self._tally.change(HANDSHAKES, -1)

    def closes(self, address: str) -> None:
        """Count a connection out."""
        self._open -= 1
        _less(self._addresses, address)
        self._tally.change(CONNECTIONS, -1)

    def enters(self, identity: Identity, address: str) -> bool:
        """Count an identity in; false where it has too many connections already."""
        key = identity.issuer, identity.subject
        if self._identities[key] >= self._limits.per_identity:
            detail = f"{identity.subject} has {self._limits.per_identity} connections open"
            self._refused(address, "identity", detail)
            return False
        self._identities[key] += 1
        return True

    def _refused(self, address: str, bound: str, detail: str) -> None:
        self._tally.count(CONNECTIONS_REFUSED, bound)
        self.refused("limit", address, detail)

    def leaves(self, identity: Identity) -> None:
        """Count an identity out."""
        _less(self._identities, (identity.issuer, identity.subject))

    def refused(self, reason: str, address: str, detail: str) -> None:
        """Count a connection that was not let in, and log it unless the client just cut it.

        `reason` is one of `rcmon.telemetry.own.FAILURES`.
        """
        self._tally.count(HANDSHAKES_FAILED, reason)
        if reason != "closed":
            what = (address, reason, visible(detail))
            LOG.info("refused a connection from %s: %s: %s", *what, extra={"kind": reason})

    def failed(self, error: Exception, address: str) -> None:
        """Count and log a connection that failed before its handshake; a traceback only for a bug of ours."""
        if not isinstance(error, OSError | ValueError):
            LOG.error("a connection from %s failed before its handshake", address, exc_info=error)
        self.refused(reason_of(error), address, detail_of(error))


def handshakes_of_one(limits: ClientLimits) -> int:
    """Tell how many handshakes one address may have under way: others find room whatever it does."""
    return max(1, limits.handshakes // 2)


def within_files(limits: ClientLimits) -> ClientLimits:
    """Grant no more connections than this process may open files; a line of the log tells of it."""
    room = spare_files()
    if room >= limits.connections:
        return limits
    what = "at most %d connections, not %d: the process may not open more files (RLIMIT_NOFILE)"
    LOG.warning(what, room, limits.connections)
    return structs.replace(limits, connections=room)


def spare_files() -> int:
    """Tell how many connections this process can have open, going by the limit on its files."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return sys.maxsize
    taken = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - only how many
    return max(1, most - taken - _SPARE_FILES)


def _less(counter: "Counter[Any]", key: object) -> None:
    """Count one down, and forget what is at zero: keys come from clients."""
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
