"""Streams over TLS whose client hears why it was turned away."""

import socket
import ssl

from tornado.iostream import SSLIOStream


class SecuredStream(SSLIOStream):
    """A stream whose socket outlives a handshake that failed with an alert of ours.

    Under TLS 1.3 the client may have sent its request by then. A close over bytes that nobody read, or that
    come later, is a reset: the client's own write would fail, and the alert is lost to it.
    """

    shakes_hands = True
    """Until it is set to False; what fails later leaves nothing."""
    left: socket.socket | None = None
    """The socket, once the handshake failed so: nothing is sent any more, and it is the owner's to close."""

    def close_fd(self) -> None:
        """Close the socket, or leave it: Tornado calls this once."""
        error = self.error
        if self.shakes_hands and isinstance(error, ssl.SSLError) and error.errno == ssl.SSL_ERROR_SSL:
            self.left = socket.socket(fileno=self.socket.detach())
            try:
                self.left.shutdown(socket.SHUT_WR)
            except OSError:  # the client is gone already
                self.left.close()
                self.left = None
        super().close_fd()
