"""The web pages, made from templates."""

import json
from pathlib import Path
from typing import Any

from tornado.template import Loader

from rcmon.docs.chapters import docs
from rcmon.timestamps import iso
from rcmon.web.about import BASE, FULL_NAME
from rcmon.web.answers.problems import Problem, title
from rcmon.web.page import overview
from rcmon.web.page.assets import Assets
from rcmon.web.page.frame import NAVIGATION, Frame
from rcmon.web.page.honest import LINE
from rcmon.web.page.paths import agent_page, findings_page, site_page

TEMPLATES = Path(__file__).parent / "templates"


class Pages:
    """Fills the templates; every value is escaped. It has the chapters of the documentation too.

    It is made once, before the fork: all workers share what is compiled and written, none does that at its
    start, and one that is started again has the pages of the release that it runs, whatever lies on the disk
    by then.
    """

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        self.docs = docs(f"{BASE}/docs")
        words = {
            "base": BASE,
            "full_name": FULL_NAME,
            "asset": assets.url,
            "script": assets.script,
            "navigation": NAVIGATION,
            "number": overview.number,
            "span": overview.span,
            "minute": overview.minute,
            "second": overview.second,
            "iso": iso,
            "site_page": site_page,
            "agent_page": agent_page,
            "findings_page": findings_page,
            "local": overview.local,
            "who": overview.who,
            "state_words": LINE,
            "state_words_as_json": json.dumps(LINE),
        }
        self._loader = Loader(str(TEMPLATES), autoescape="xhtml_escape", whitespace="single", namespace=words)
        for path in TEMPLATES.iterdir():
            self._loader.load(path.name)  # compiled now, not while a client waits

    def fill(self, name: str, /, **values: Any) -> bytes:
        """Fill a template; one that has the layout's frame needs `frame`."""
        return self._loader.load(name).generate(**values)

    def show(self, name: str, frame: Frame, /, **values: Any) -> bytes:
        """Fill the template of a whole page."""
        return self.fill(name, frame=frame, **values)

    def error(self, problem: Problem) -> bytes:
        """Make the page of an error."""
        return self.fill("error.html", frame=None, problem=problem, title=title(problem.status_code))
