"""The looks of the pages, and their scripts."""

from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.contract import gives
from rcmon.web.auth import ANYONE, requires
from rcmon.web.base import Handler


class StaticHandler(Handler):
    """A file of the pages' looks and scripts; the page of a refusal needs it too."""

    route = "/static/{name}"
    summary = "Style sheets, scripts and pictures of the pages, under names that tell their content."

    @requires(ANYONE)
    @gives(texts=("text/css", "text/javascript", "image/svg+xml"))
    def get(self, name: str) -> Ready:
        """Answer with the file's bytes."""
        ready = self.services.assets.get(name)
        if ready is None:
            raise Problem(404, f"There is no static file {name!r}.")
        return ready


HANDLERS = (StaticHandler,)
