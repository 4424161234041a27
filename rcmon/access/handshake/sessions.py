"""Chains of connections whose TLS 1.2 session was resumed, which hides the chain.

Python gives no way to stop resumption by session identifier while the session's first connection is open, as
parallel clients do it (of 20 requests by `curl --parallel --tls-max 1.2` 14 were resumed). What the full
handshake verified still holds for such a connection: the identifier is the server's own, OpenSSL finds it
only in the memory of the very context that verified the chain, and the client proved that it has the
session's secret. Expiry, revocation and roles are decided anew for every request in any case.
"""

import ssl
from collections.abc import Sequence

from rcmon.access.handshake.tls import verified_chain

_REMEMBERED = 256
"""Sessions, at about 4 kB each; one that was forgotten proves nobody."""
_RESUMABLE = "TLSv1.2"
"""Without tickets TLS 1.3 resumes nothing."""


class SessionChains:
    """Gives the verified chain of each connection of one process, once its handshake is done."""

    def __init__(self) -> None:
        self._chains: dict[bytes, Sequence[bytes]] = {}

    def chain_of(self, connection: ssl.SSLSocket | ssl.SSLObject) -> Sequence[bytes]:
        """Return the chain (DER, leaf first) that the connection or its session proved; empty: none."""
        chain = verified_chain(connection) or ()
        if connection.version() != _RESUMABLE or connection.session is None:
            return chain
        identifier = connection.session.id
        if connection.session_reused:
            return self._chains.get(identifier, ())
        if chain and identifier:
            if len(self._chains) >= _REMEMBERED:
                del self._chains[next(iter(self._chains))]
            self._chains[identifier] = chain
        return chain
