"""Who the client is."""

from collections.abc import Awaitable

from rcmon.web.api.query import Pretty
from rcmon.web.api.whoami import describe
from rcmon.web.auth import ANYONE, requires
from rcmon.web.base import Handler


class WhoamiHandler(Handler):
    """The identity that the certificate proves, as the service understands it."""

    route = "/api/whoami"
    summary = "Who you are: subject, issuer, roles, expiry and certificate chain as understood."
    query: Pretty

    @requires(ANYONE)
    def get(self) -> Awaitable[None] | None:
        """Answer with the identity of this connection."""
        return self.send_json(describe(self.asking()))


HANDLERS = (WhoamiHandler,)
