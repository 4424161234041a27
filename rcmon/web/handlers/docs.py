"""The documentation of the version that runs."""

from rcmon.access.roles import Role
from rcmon.docs.chapters import Chapter
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.auth import requires
from rcmon.web.base import Handler
from rcmon.web.handlers.framed import show


def _shown(handler: Handler, chapter: Chapter) -> Ready:
    chapters = handler.services.pages.docs.chapters.values()
    return show(handler, "docs.html", "docs", chapter=chapter, chapters=chapters)


class DocsHandler(Handler):
    """The index."""

    route = "/docs/"
    summary = "The documentation of the version that runs: its index."

    @requires(Role.READER)
    def get(self) -> Ready:
        """Answer with the index."""
        return _shown(self, self.services.pages.docs.index)


class ChapterHandler(Handler):
    """One chapter."""

    route = "/docs/{chapter}"
    summary = "The page of one chapter of the documentation."

    @requires(Role.READER)
    def get(self, chapter: str) -> Ready:
        """Answer with the page."""
        found = self.services.pages.docs.chapters.get(chapter)
        if found is None:
            raise Problem(404, f"The documentation has no {chapter[:200]!r}: /docs/ lists its chapters.")
        return _shown(self, found)


HANDLERS = (DocsHandler, ChapterHandler)
