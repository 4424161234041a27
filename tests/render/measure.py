"""Measure rendering: `python -m tests.render.measure [SITESxAGENTS …]` prints medians of alternating rounds.

No test: figures depend on the machine. Peak memory is what the process grew by while rendering.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable

from rcmon.documents import keys
from rcmon.documents.deflated import gzip_end, inflate, inflate_chunks
from rcmon.exposition.lines import blocks
from rcmon.model import Document, Snapshot
from rcmon.render import render
from rcmon.render.agents import agent_documents
from rcmon.render.families import expositions
from rcmon.render.families.table import FAMILIES
from rcmon.render.families.view import views
from rcmon.render.sites import site_documents
from tests.render.factory import make_snapshot

TAIL = b'rcmon_http_requests_total{route="/api/status",method="GET",code="200"} 123456\n' * 100
ROUNDS = 7


def peak() -> float:
    """Peak memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def write_samples(snapshot: Snapshot) -> None:
    """Only write the samples: no compression, no sums."""
    seen = views(snapshot)
    for family in FAMILIES:
        for view in (*seen.agents.values(), seen.common):
            for _ in blocks(family.name, family.samples(view)):
                pass


def drain(document: Document) -> None:
    """Inflate as for a client that takes no gzip."""
    for _ in inflate_chunks(document):
        pass


def measure(sites: int, agents: int) -> None:
    snapshot = make_snapshot(sites, agents)
    before = peak()
    made = {document.key: document for document in render(snapshot)}
    print(f"\n{sites} sites x {agents} agents: peak memory +{peak() - before:.0f} MB")
    text = made[keys.METRICS_TEXT]
    print(f"  {sum(not line.startswith(b'#') for line in inflate(text).splitlines())} series")
    steps: dict[str, Callable[[], object]] = {
        "samples written, not compressed": lambda: write_samples(snapshot),
        "both expositions": lambda: expositions(snapshot),
        "sites and index": lambda: site_documents(snapshot, {}),
        "agents, thresholds, backlogs": lambda: agent_documents(snapshot, {}),
        "render": lambda: render(snapshot),
        "render, nothing but times changed": lambda: render(snapshot, made),
        "end of gzip with a tail of 8 kB": lambda: gzip_end(text, TAIL),
        "inflate in chunks": lambda: drain(text),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - started)
    for name, seconds in times.items():
        print(f"  {name:35s} {statistics.median(seconds) * 1e3:9.2f} ms (best {min(seconds) * 1e3:.2f})")
    for key in (
        keys.METRICS_TEXT,
        keys.METRICS_OPENMETRICS,
        keys.METRICS_PIECES,
        keys.METRICS_INDEX,
        keys.SITES,
        keys.SITES_INDEX,
    ):
        print(f"  {key:35s} {made[key].size:10d} bytes, deflated {len(made[key].body)}")
    print(f"  {'all bodies':35s} {sum(len(document.body) for document in made.values()):10d} bytes")


if __name__ == "__main__":
    for size in sys.argv[1:] or ["150x1", "150x10", "1000x10"]:
        measure(*(int(number) for number in size.split("x")))
