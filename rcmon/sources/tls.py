"""TLS to what is polled: whom to trust and who we are, and the context made of that at each connect."""

import ssl
from pathlib import Path

from msgspec import Struct


class Tls(Struct, frozen=True):
    """Whom to trust and who we are; the server's certificate is always checked."""

    ca: str | None
    """File of certificates, or hashed directory; None: those that the system trusts."""
    cert: str | None = None
    """File of our certificate, where the server asks for one."""
    key: str | None = None
    """File of its key, where it does not stand with the certificate."""
    check_hostname: bool = True

    def context(self) -> ssl.SSLContext:
        """Make the context, of the files as they are now. Raises OSError, an SSLError included."""
        if self.ca is None:
            context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
        else:
            where = {"capath": self.ca} if Path(self.ca).is_dir() else {"cafile": self.ca}
            context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, **where)
        context.check_hostname = self.check_hostname
        if self.cert is not None:
            # an encrypted key would be asked for at the terminal, and waited for
            context.load_cert_chain(self.cert, self.key, password=lambda: "")
        return context


def why(error: OSError) -> str:
    """Say why the files of a context cannot be used."""
    if isinstance(error, ssl.SSLError):
        return f"no certificate or key can be read from that: {error.reason or error}"
    return f"a file cannot be read: {error.strerror}"
