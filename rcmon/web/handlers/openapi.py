"""What machines read of what there is."""

from rcmon.access.roles import Role
from rcmon.web.answers.ready import Ready
from rcmon.web.api.contract import gives
from rcmon.web.api.openapi import OPENAPI_TYPE
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class OpenapiHandler(Handler):
    """The description of all resources as OpenAPI has it."""

    route = "/api/openapi.json"
    summary = "All resources as OpenAPI 3.1 describes them: roles, parameters, bodies, answers, problems."
    immediate = True

    @requires(Role.READER)
    @gives(texts=(OPENAPI_TYPE,))
    def get(self) -> Ready:
        """Answer with the document."""
        return self.services.handbook.openapi


HANDLERS = (OpenapiHandler,)
