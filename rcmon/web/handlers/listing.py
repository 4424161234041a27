"""What the pages of lists share: a query as forms write it, and what is wrong with it said above."""

import re
from typing import Any

from msgspec import field

from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.base import Handler, page
from rcmon.web.handlers.framed import frame

_ZONELESS = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?")
"""As a browser's field of date and time sends it; the pages say that it is UTC."""


class ListPage(Handler):
    """A page that shows a list, filtered by its address."""

    problems: list[Problem] = field(default_factory=list)
    """What of the query is not understood: the page says so itself, above its form."""

    def read_query(self) -> None:
        """Read the query; a form sends what was left empty, which counts for nothing."""
        given = {
            name: [text + b"Z" if _ZONELESS.fullmatch(text) else text for text in texts if text.strip()]
            for name, texts in self.request.query_arguments.items()
        }
        self.query, self.problems = self.reader.read_leniently(
            {name: texts for name, texts in given.items() if texts}
        )

    def show(self, template: str, here: str, **values: Any) -> Ready:
        """Answer with the page; with the status of what is wrong with the query, where something is."""
        body = self.services.pages.show(
            template, frame(self, here), problems=self.problems, asked=self.query, **values
        )
        if self.problems:
            self.problems[0].page = body
            raise self.problems[0]
        return page(body)
