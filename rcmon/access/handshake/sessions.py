"""Chains of connections whose TLS 1.2 session was resumed, which hides the chain.

Python gives no way to stop resumption by session identifier while the session's first connection is open, as
parallel clients do it (of 20 requests by `curl --parallel --tls-max 1.2` 14 were resumed). What the full
handshake verified still holds for such a connection: the identifier is the server's own, OpenSSL finds it
only in the memory of the very context that verified the chain, and the client proved that it has the
session's secret. Expiry, revocation and roles are decided anew for every request in any case.

OpenSSL removes a session with the first of its connections that is freed without a close_notify of ours
(`ssl_clear_bad_session`), so it holds the sessions of open connections and no others: what is remembered here
has the same bound, the connections that are open, without a number of its own.
"""

import ssl
import time
from collections import deque
from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

from rcmon.access.handshake.tls import verified_chain
from rcmon.errors import IdentityError

_RESUMABLE = "TLSv1.2"
"""Without tickets TLS 1.3 resumes nothing."""

Secured = ssl.SSLSocket | ssl.SSLObject


class SessionChains:
    """Gives the verified chain of each connection of one process, once its handshake is done.

    `lasting` is how long a handshake may take, in seconds: for so long after a connection ended, another may
    still be about to finish the resumption of its session. `clock` is monotonic.
    """

    def __init__(self, lasting: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._lasting, self._clock = lasting, clock
        self._chains: dict[bytes, Sequence[bytes]] = {}
        self._open: WeakKeyDictionary[Secured, bytes] = WeakKeyDictionary()
        self._ended: deque[tuple[float, bytes]] = deque()

    def __len__(self) -> int:
        """Tell how many sessions are remembered."""
        return len(self._chains)

    def chain_of(self, connection: Secured) -> Sequence[bytes]:
        """Return the chain (DER, leaf first) that the connection or its session proved; empty: none.

        Raises IdentityError for a resumed session that is not known. The connection is then to be cut: so
        OpenSSL forgets the session too, and the client's next try is a full handshake.
        """
        chain = verified_chain(connection) or ()
        if connection.version() != _RESUMABLE or connection.session is None:
            return chain
        self._forget()
        identifier = connection.session.id
        if connection.session_reused:
            known = self._chains.get(identifier)
            if known is None:
                raise IdentityError("no_chain", "a TLS session was resumed that is not known any more")
            return known
        if chain and identifier:
            self._chains[identifier] = chain
            self._open[connection] = identifier
        return chain

    def ended(self, connection: Secured) -> None:
        """Take note that a connection was closed."""
        identifier = self._open.pop(connection, None)
        if identifier is not None:
            self._ended.append((self._clock() + self._lasting, identifier))
        self._forget()

    def _forget(self) -> None:
        now = self._clock()
        while self._ended and self._ended[0][0] <= now:
            self._chains.pop(self._ended.popleft()[1], None)
