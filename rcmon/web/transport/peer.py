"""Who is at the other end: what handlers see as `request.connection.context`, on both ways."""

import time

from rcmon.access.gate import Decision, Gate
from rcmon.access.identity import Identity
from rcmon.web.transport.pace import Bucket
from rcmon.web.transport.said import quoted


class Peer:
    """The client of one connection: its address, its identity, and what it may do at this moment."""

    protocol = "https"

    def __init__(self, remote_ip: str, gate: Gate) -> None:
        self.remote_ip = remote_ip
        self.identity: Identity
        """Who the chain proves; not set before that is known, so that whoever looks too early fails."""
        self.bucket: Bucket
        """Of the identity; not set before a request may come."""
        self.caller = '"-"'
        """The subject as it stands in the access log."""
        self._gate = gate
        self._decision: Decision | None = None
        self._generation = -1

    def __str__(self) -> str:
        return self.remote_ip

    def proved(self, identity: Identity) -> None:
        """Note who it is."""
        self.identity = identity
        self.caller = quoted(identity.subject.slash())

    def decision(self) -> Decision:
        """Decide what the client may do now; in constant time while nothing changed, for a minute at most."""
        now = time.time()
        generation = self._gate.generation
        decision = self._decision
        if decision is None or generation != self._generation or not decision.holds(now):
            decision = self._decision = self._gate.decide(self.identity, now)
            self._generation = generation
        return decision
