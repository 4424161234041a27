"""Who the client is."""

from rcmon.web.answers.ready import Ready
from rcmon.web.api.contract import gives
from rcmon.web.api.query import Pretty
from rcmon.web.api.whoami import Whoami, describe
from rcmon.web.auth import ANYONE, requires
from rcmon.web.base import Handler


class WhoamiHandler(Handler):
    """The identity that the certificate proves, as the service understands it."""

    route = "/api/whoami"
    summary = "Who you are: subject, issuer, roles, expiry and certificate chain as understood."
    query: Pretty

    @requires(ANYONE)
    @gives(Whoami)
    def get(self) -> Ready:
        """Answer with the identity of this connection."""
        return self.json(describe(self.request.peer))


HANDLERS = (WhoamiHandler,)
