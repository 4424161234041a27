"""One service with a grid of everything and one Chromium for all tests of a process, a context for each.

The browser's driver runs a loop of its own for as long as it lives, which asynchronous tests could not bear
beside theirs: it lives in a thread, in which the tests of this folder run as well.
"""

import inspect
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.grid import make_grid
from tests.browser.site import PATIENCE, Site
from tests.browser.trouble import make_trouble
from tests.servers import need
from tests.web.grid import NOW
from tests.web.pki import files

Stage = ThreadPoolExecutor
"""The one thread of the browser's driver."""


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test of the browser where its driver lives."""
    stage: Stage | None = pyfuncitem.funcargs.get("stage")
    if stage is None:
        return None
    taken = inspect.signature(pyfuncitem.obj).parameters
    stage.submit(pyfuncitem.obj, **{name: pyfuncitem.funcargs[name] for name in taken}).result()
    return True


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve the grid. Who publishes another snapshot publishes the first again: see `published`."""
    made = Site(tmp_path_factory.mktemp("site") / "rcmon.sqlite", make_grid())
    yield made
    made.end()


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve the grid with trouble in its store, apart from `site`, whose tests begin with no trouble.

    A module that tests with it says so: `site` is `troubled` there, so that `enter` has a certificate for it.
    """
    made = Site(tmp_path_factory.mktemp("troubled") / "rcmon.sqlite", make_grid())
    store = made.serving.store
    assert store is not None
    made.run(lambda: make_trouble(store))
    yield made
    made.end()


@pytest.fixture
def published(site: Site) -> Iterator[Site]:
    """The service, for a test that publishes; the grid is there again afterwards."""
    yield site
    site.serving.now = NOW
    site.publish(make_grid())


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """The thread of the browser's driver, and of the tests."""
    with ThreadPoolExecutor(1, "stage") as made:
        yield made


@pytest.fixture(scope="session")
def chromium(stage: Stage) -> Iterator[Browser]:
    """Debian's Chromium: nothing is downloaded."""
    path = need("chromium")
    driver = stage.submit(sync_playwright().start).result()
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = stage.submit(driver.chromium.launch, executable_path=path, args=arguments).result()
    yield browser
    stage.submit(browser.close).result()
    stage.submit(driver.stop).result()


Make = Callable[..., BrowserContext]
Enter = Callable[..., BrowserContext]


@pytest.fixture
def contexts(stage: Stage, chromium: Browser) -> Iterator[Make]:
    """Make contexts: `contexts(origin, pem)` with a certificate for an origin; options as Playwright's.

    A script that fails in any of their pages fails the test.
    """
    made: list[BrowserContext] = []
    failed: list[str] = []

    def context(origin: str, pem: Path | None, **options: Any) -> BrowserContext:
        if pem is not None:
            options["client_certificates"] = [{"origin": origin, "certPath": pem, "keyPath": pem}]
        made.append(chromium.new_context(ignore_https_errors=True, **options))
        made[-1].set_default_timeout(PATIENCE * 1000)
        made[-1].on("weberror", lambda error: failed.append(str(error.error)))
        return made[-1]

    yield context
    for each in made:
        stage.submit(each.close).result()
    assert failed == []


@pytest.fixture
def enter(contexts: Make, site: Site) -> Enter:
    """Make contexts for `site`: `enter("operator")`, `enter(None)` without a certificate."""

    def context(persona: str | None = "reader", **options: Any) -> BrowserContext:
        pem = None if persona is None else files().personas[persona]
        return contexts(site.origin, pem, **options)

    return context


@pytest.fixture
def page(stage: Stage, enter: Enter, site: Site) -> Page:
    """A reader's page, on the overview."""
    return stage.submit(lambda: opened(enter(), site.url())).result()


def opened(context: BrowserContext, url: str) -> Page:
    """Open a page."""
    page = context.new_page()
    page.goto(url)
    return page


AT_REST = """() => new Promise((resolve) => {
  let last, same = 0;
  const look = () => {
    const now = `${scrollY} ${document.documentElement.scrollHeight}`;
    same = now === last ? same + 1 : 0;
    last = now;
    if (same > 5) resolve(scrollY);
    else requestAnimationFrame(look);
  };
  look();
})"""


def at_rest(page: Page) -> float:
    """Wait until nothing moves, and give how far it is scrolled, in pixels.

    A row that comes into sight gets its true height a frame later, which moves what stands below it.
    """
    return float(page.evaluate(AT_REST))
