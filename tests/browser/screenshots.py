"""Pictures of every page, light, dark, narrow and on paper, with trouble in the data.

`python tests/browser/screenshots.py FOLDER [PAGE ...]` writes them, PAGE-light.png and so on.
"""

import argparse
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from rcmon.docs.chapters import docs
from rcmon.web.app import TABLE
from tests.browser.grid import make_grid
from tests.browser.site import Site
from tests.browser.trouble import make_trouble
from tests.web.pki import files

LOOKS: Mapping[str, Mapping[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1440, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1440, "height": 900}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 360, "height": 780}},
}
PAPER: Mapping[str, Any] = {"color_scheme": "dark", "viewport": {"width": 718, "height": 1040}}
"""A4 between its margins; whoever likes it dark prints black on white all the same."""
DRAWN = """() => [...document.querySelectorAll("#table tbody th a")].every(
  link => link.checkVisibility({contentVisibilityAuto: true}))"""
PARTS = {
    "{site}": "T1_US_FNAL",
    "{agent}": "vocms0281",
    "{runbook}": "AgentDown",
}


def pages() -> Mapping[str, str]:
    """Name every page that there is, with its path below the mount; one of a refusal too."""
    found = {}
    for handler in TABLE:
        if handler.route.startswith(("/api/", "/static")) or handler.outside is not None:
            continue
        path = handler.route
        if "{chapter}" in path:
            found |= {f"docs-{name}": path.replace("{chapter}", name) for name in docs("").chapters}
            continue
        for part, value in PARTS.items():
            path = path.replace(part, value)
        name = path.strip("/").partition("/")[0] or "overview"
        # of a list and one of it, the one is called as the list's singular
        found[name.removesuffix("s") if name in found else name] = path
    found.pop("now", None)  # a part of the overview
    return {**found, "nothing": "/nothing", "forbidden": "/"}


def take(browser: Browser, site: Site, folder: Path, wanted: Sequence[str]) -> None:
    """Take the pictures."""
    for look, options in {**LOOKS, "paper": PAPER}.items():
        for name, path in pages().items():
            if wanted and name not in wanted:
                continue
            pem = files().personas["stranger" if name == "forbidden" else "operator"]
            context = browser.new_context(
                ignore_https_errors=True,
                client_certificates=[{"origin": site.origin, "certPath": pem, "keyPath": pem}],
                **options,
            )
            page = context.new_page()
            page.goto(site.url(path))
            page.wait_for_load_state("load")
            if look == "paper":
                page.emulate_media(media="print")
            height = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size(
                {"width": options["viewport"]["width"], "height": height}
            )  # all is in sight
            page.wait_for_function(DRAWN)
            page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)
            context.close()


def main() -> None:
    """Serve a grid with trouble and take pictures of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("page", nargs="*", choices=[[], *pages()])
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as driver:
        site = Site(Path(directory) / "rcmon.sqlite", make_grid())
        store = site.serving.store
        assert store is not None
        site.run(lambda: make_trouble(store))
        arguments_of = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=arguments_of)
        take(browser, site, arguments.folder, arguments.page)
        browser.close()
        site.end()


if __name__ == "__main__":
    main()
