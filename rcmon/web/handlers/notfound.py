"""Whatever has no resource."""

from typing import NoReturn

from rcmon.web.about import BASE
from rcmon.web.answers.problems import Problem
from rcmon.web.auth import ANYONE, requires
from rcmon.web.base import Handler


class NotFoundHandler(Handler):
    """The answer to every path that no route matches, by every method."""

    route = "other"

    @requires(ANYONE)
    def get(self, /, *args: str, **kwargs: str) -> NoReturn:  # noqa: ARG002 - as the methods it stands for
        """Say that there is nothing."""
        detail = f"There is nothing at {self.request.path!r}; {BASE}/api lists what there is."
        raise Problem(404, detail)

    def read_query(self) -> None:
        """Leave the query alone: there is no resource that could take it."""

    def refuse_body(self) -> NoReturn:
        """Say that there is nothing, whatever the size."""
        self.get()

    head = post = put = patch = delete = options = get
