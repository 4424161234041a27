#!/usr/bin/env python3
"""Tell how large a scrape is, whole and by agent: `python tests/load/exposition.py [SITESxAGENTS …]`.

Series, bytes as they are and as gzip; and the CPU time in which a worker puts an agent's part together.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Sequence

from cycle import with_board
from msgspec import msgpack

from rcmon.collector import clock
from rcmon.collector.cycle import Cycle
from rcmon.demo.synthetic import parse_shape, synthetic_sources
from rcmon.documents import keys
from rcmon.documents.deflated import GZIP_HEADER, gzip_end, inflate
from rcmon.documents.pieces import PiecesIndex
from rcmon.model import Document, Snapshot
from rcmon.render.facts import facts_document
from rcmon.render.families import expositions
from rcmon.store.snapshots import StoredDocuments
from rcmon.web.api.scrape import ScrapeQuery, choose
from rcmon.web.board import Held
from rcmon.web.telemetry.chosen import put_together


async def snapshot_of(shape: str) -> Snapshot:
    """Run two cycles: forecasts and drift are there from the second on."""
    cycle = Cycle(await with_board(synthetic_sources(parse_shape(shape), "load")), 60.0, 3600.0)
    for _ in range(2):
        snapshot, _ = await cycle.run(clock.read(), lambda _: None)
    await cycle.close()
    return snapshot


def tell(what: str, documents: Sequence[Document]) -> None:
    """Print what some documents take, as a mean of them."""
    plain = [inflate(one) for one in documents]
    series = statistics.mean(sum(not line.startswith(b"#") for line in one.splitlines()) for one in plain)
    packed = statistics.mean(len(GZIP_HEADER) + len(one.body) + len(gzip_end(one)) for one in documents)
    size = statistics.mean(map(len, plain))
    print(f"  {what:34s} {series:9.0f} series, {size / 1e3:9.0f} kB, gzip {packed / 1e3:7.0f} kB")


def measure(shape: str) -> None:
    """Tell of one shape of grid."""
    snapshot = asyncio.run(snapshot_of(shape))
    print(shape)
    tell("without zeros of task types' jobs", expositions(snapshot, zeros=False)[:1])
    made = expositions(snapshot)
    tell("whole", made[:1])
    held = Held(StoredDocuments(1, keys.FORMAT, [*made, *facts_document(snapshot, {})]))
    index = msgpack.decode(inflate(held.document(keys.METRICS_INDEX)), type=PiecesIndex)
    asked = [choose(ScrapeQuery(agent=(agent,))) for agent in index.agents]
    begin = time.process_time()
    parts = [put_together(held, index, "text", chosen) for chosen in asked]
    each = (time.process_time() - begin) / len(parts)
    tell("of one agent", parts)
    tell("common", [put_together(held, index, "text", choose(ScrapeQuery(part="common")))])
    print(f"  an agent's part is put together in {each * 1e3:.2f} ms of CPU")


if __name__ == "__main__":
    for size in sys.argv[1:] or ["150x1", "150x10", "1000x10", "150x100"]:
        measure(size)
