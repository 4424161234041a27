"""What the handlers of pages share: a page stands in the frame."""

from typing import Any

from rcmon.web.answers.ready import Ready
from rcmon.web.api.whoami import describe
from rcmon.web.base import Handler, page
from rcmon.web.page.frame import Frame, make_frame


def frame(handler: Handler, here: str) -> Frame:
    """Make the frame of a page that shows the newest snapshot; `here`: its name in NAVIGATION."""
    services = handler.services
    held = services.board.current
    return make_frame(
        here,
        held.facts if held else None,
        services.status.now(),
        describe(handler.request.peer),
        services.clock(),
    )


def show(handler: Handler, template: str, here: str, **values: Any) -> Ready:
    """Answer with a page, made from a template that extends the layout."""
    return page(handler.services.pages.show(template, frame(handler, here), **values))
