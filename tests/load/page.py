#!/usr/bin/env python3
"""Measure the overview in Chromium. `python tests/load/page.py [SITESxAGENTS …]`.

What a first view weighs and when it can be read; what an update costs the tab's main thread; whether the tab
grows over an hour's worth of updates, which come as fast as the page takes them. What a task takes is the
processor's time, since other programs may keep the machine busy; when something can be read is by the clock.

nginx stands between: it has the reader's certificate, which the driver would otherwise show from a program of
its own that is slower than the service. The browser runs already, with an empty window that is at rest, and
has nothing of ours in its cache.
"""

import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright
from targets import free_port, started

from rcmon.collector import clock
from rcmon.collector.cycle import Cycle
from rcmon.demo.synthetic import parse_shape, synthetic_sources
from rcmon.model import Document, Snapshot
from rcmon.render import render
from tests.browser.site import PAINTED, Site
from tests.store.using import save
from tests.web.pki import files

SHAPES = ("150x10", "1000x10")
AN_HOUR = 60
VIEWS = 5
APART = 10.0
AT_REST = 1000
"""Milliseconds until the browser is done with a window that it opened."""


async def snapshots(shape: tuple[int, int], count: int) -> list[Snapshot]:
    """Make what cycles would give; a generated grid changes with every second."""
    cycle = Cycle(list(synthetic_sources(shape, "page")), 60.0, 3600.0)
    made, begin = [], clock.read()
    for number in range(count):
        moment = clock.Moment(begin.wall + APART * number, begin.running + APART * number)
        snapshot, _ = await cycle.run(moment, lambda _: None)
        made.append(snapshot)
    return made


DOOR = """
daemon off; worker_processes 1; error_log stderr error; pid {folder}/nginx.pid;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream service {{ server 127.0.0.1:{behind}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {host}; ssl_certificate_key {key};
    location / {{
      proxy_pass https://service; proxy_ssl_certificate {reader}; proxy_ssl_certificate_key {reader};
      proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host localhost;
      proxy_buffering off; proxy_read_timeout 1h;
    }}
  }}
}}
"""


@contextmanager
def door(folder: Path, site: Site) -> Iterator[str]:
    """Let nginx show the reader's certificate; gives the overview's address."""
    port, trust = free_port(), files().trust
    config = folder / "nginx.conf"
    config.write_text(
        DOOR.format(
            folder=folder,
            port=port,
            behind=site.serving.port,
            host=trust.certificate,
            key=trust.key,
            reader=files().personas["reader"],
        )
    )
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with started([program, "-c", str(config), "-p", str(folder)], port, folder / "nginx.out"):
        yield f"https://localhost:{port}/wm_resource_monitor/"


def start(driver: Any) -> Browser:
    """Start a browser, and let it show something."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
    browser.new_page().goto("about:blank")
    return browser  # type: ignore[no-any-return]


def enter(browser: Browser) -> BrowserContext:
    """Begin with nothing in the cache."""
    return browser.new_context(ignore_https_errors=True, viewport={"width": 1440, "height": 900})


def first_view(context: BrowserContext, url: str) -> tuple[Page, CDPSession, int, float]:
    """Open the page; gives bytes as they came, and milliseconds until there was something to read."""
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    received: list[int] = []
    cdp.send("Network.enable")
    cdp.on("Network.loadingFinished", lambda told: received.append(int(told["encodedDataLength"])))
    page.wait_for_timeout(AT_REST)
    page.goto(url)
    page.locator("#state[data-state=live]").wait_for()
    paint = page.evaluate(PAINTED)
    return page, cdp, sum(received), paint


def memory(cdp: CDPSession) -> tuple[float, int]:
    """Give megabytes of script's objects, and nodes, once garbage is gone."""
    cdp.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in cdp.send("Performance.getMetrics")["metrics"]}
    return found["JSHeapUsedSize"] / 1e6, int(found["Nodes"])


def publish(site: Site, snapshot: Snapshot, documents: list[Document]) -> None:
    """Let a cycle end with documents that are made already."""
    serving = site.serving

    async def publishing() -> None:
        assert serving.store
        await save(serving.store, snapshot, documents, [])
        await serving.board.check()

    site.run(publishing)


def update(page: Page, site: Site, snapshot: Snapshot, documents: list[Document]) -> None:
    """Let a cycle end, and the page take it."""
    page.evaluate(WAIT_FOR)
    publish(site, snapshot, documents)
    page.evaluate("window.settled")


def tasks_of(trace: bytes) -> list[float]:
    """Give the milliseconds that each task of the tab's main thread took of a processor."""
    events = json.loads(trace)["traceEvents"]
    mains = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }
    return [
        one.get("tdur", 0) / 1000
        for one in events
        if one["name"].endswith("RunTask") and one["ph"] == "X" and (one["pid"], one["tid"]) in mains
    ]


def updates(page: Page, cdp: CDPSession, site: Site, made: list[tuple[Snapshot, list[Document]]]) -> None:
    """Let an hour pass."""
    cdp.send("Performance.enable")
    sums, longest, grown = [], [], []
    browser = page.context.browser
    assert browser
    for number in range(AN_HOUR):
        traced = number % 6 == 5
        if traced:
            browser.start_tracing(page=page, categories=["toplevel"])
        update(page, site, *made[(number + 1) % len(made)])
        if traced:
            tasks = tasks_of(browser.stop_tracing())
            sums.append(sum(tasks))
            longest.append(max(tasks))
        if number % 10 == 9:
            grown.append(memory(cdp))
    print(
        f"  an update: {statistics.median(sums):.0f} ms of the main thread in all (most {max(sums):.0f}), "
        f"its longest task {statistics.median(longest):.0f} ms (most {max(longest):.0f})"
    )
    print("  memory after each 10 updates: " + ", ".join(f"{mb:.1f} MB {nodes} nodes" for mb, nodes in grown))


WAIT_FOR = """
window.settled = (async () => {
  const bus = document.querySelector('link[rel=modulepreload][href*="/bus."]').href;
  const { once } = await import(bus);
  await once("updated");
  await new Promise(done => requestAnimationFrame(() => setTimeout(done, 100)));
})();
undefined
"""


def measure(shape: str) -> None:
    """Measure one grid."""
    print(shape)
    began = time.perf_counter()
    found = asyncio.run(snapshots(parse_shape(shape), 4))
    made = [(snapshot, render(snapshot)) for snapshot in found]
    print(f"  made in {time.perf_counter() - began:.0f} s")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        site = Site(folder / "rcmon.sqlite", found[0])
        stack.callback(site.end)
        site.serving.now = found[-1].started + 12
        url = stack.enter_context(door(folder, site))
        browser = start(stack.enter_context(sync_playwright()))
        stack.callback(browser.close)
        views = []
        for number in range(VIEWS):
            context = enter(browser)
            page, cdp, size, paint = first_view(context, url)
            views.append((size, paint))
            if number < VIEWS - 1:
                context.close()
        sizes, paints = zip(*views, strict=True)
        print(
            f"  first view: {max(sizes) / 1000:.1f} kB with everything, painted after "
            f"{statistics.median(paints):.0f} ms (most {max(paints):.0f})"
        )
        updates(page, cdp, site, made)


if __name__ == "__main__":
    for given in sys.argv[1:] or SHAPES:
        measure(given)
