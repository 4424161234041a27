"""The web pages, made from templates."""

from pathlib import Path
from typing import Any

from tornado.template import Loader

from rcmon.web.answers.problems import Problem, title

TEMPLATES = Path(__file__).parent / "templates"


class Pages:
    """Fills the templates; every value is escaped."""

    def __init__(self) -> None:
        self._loader = Loader(str(TEMPLATES), autoescape="xhtml_escape", whitespace="single")
        for path in TEMPLATES.iterdir():
            self._loader.load(path.name)  # compiled at start, not while a client waits

    def fill(self, name: str, /, **values: Any) -> bytes:
        """Fill a template."""
        return self._loader.load(name).generate(**values)

    def error(self, problem: Problem) -> bytes:
        """Make the page of an error."""
        return self.fill("error.html", problem=problem, title=title(problem.status_code))
