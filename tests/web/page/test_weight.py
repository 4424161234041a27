"""The overview of a grid as large as production's is light: whoever opens it far away waits little."""

import re
import time

from rcmon.collector.clock import Moment
from rcmon.collector.cycle import Cycle
from rcmon.demo.synthetic import synthetic_sources
from rcmon.web.about import BASE
from tests.web.serving import Serving

LIGHT = 60_000
"""Bytes of a first view of 150 sites in 10 agents, with everything, gzipped, without the heads of answers."""


async def test_a_first_view_of_150_sites_in_10_agents_with_everything(service: Serving) -> None:
    cycle = Cycle(list(synthetic_sources((150, 10), "weight")), 60.0, 3600.0)
    snapshot, _ = await cycle.run(Moment(service.now - 10, time.monotonic()), lambda _: None)
    await service.publish(snapshot)
    page = await service.ask("/")
    linked = set(re.findall(rf'"{BASE}(/static/[^"]+)"', page.body.decode()))
    assert len(linked) > 10
    sizes = {}
    for path in ("/", *sorted(linked)):
        answer = await service.ask(path, Accept_Encoding="gzip")
        assert answer.code == 200
        sizes[path] = len(answer.body)
    assert page.body.count(b"<tr data-site=") == 150
    assert sum(sizes.values()) < LIGHT, sizes
