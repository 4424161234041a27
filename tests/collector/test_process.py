"""The collector's process: what it takes up beside its cycles, and that no fault of that ends it."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from rcmon.collector import process
from rcmon.collector.collector import Collector
from rcmon.files.follower import Follower
from rcmon.process import ChildContext
from rcmon.process.scoreboard import Scoreboard
from rcmon.sources.config import SourceSet
from rcmon.steering import follow_control
from rcmon.store import Store
from rcmon.store.pruning import Ages
from rcmon.telemetry.layout import Layout
from rcmon.telemetry.tally import Tally
from tests.scripted import Scripted, until

DAY = 86_400.0


async def test_sources_that_could_not_be_taken_up_are_told_and_taken_up_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("meant to fail")

    first, second = Scripted("first"), Scripted("second")
    now = SourceSet((first,))
    url = make_url(f"sqlite:///{tmp_path / 'rcmon.sqlite'}")
    store = Store(url)
    await store.migrate()
    await store.close()
    layout = Layout({"route": ()})
    scoreboard = Scoreboard(1, layout.size)
    scoreboard.slot(0).occupy(1, 0.0)
    context = ChildContext("collector", scoreboard.slot(0), grace=20.0)
    settings = process.Settings(
        store_url=url,
        owner="",
        interval=0.1,
        budget=0.6,
        stale_after=3600.0,
        raise_after=1,
        clear_after=1,
        ages=Ages(DAY, DAY, DAY),
        holder="one",
        sources=Follower("sources", lambda: id(now), lambda _: now),
        control=follow_control(None),
        tally=Tally(layout, scoreboard.slot(0).cells),
    )
    running = asyncio.create_task(process.collect(settings, context))
    await until(lambda: first.polls > 0)
    with monkeypatch.context() as broken:
        broken.setattr(Collector, "replace_sources", fail)
        now = SourceSet((second,))
        context.reload()
        await until(lambda: bool(scoreboard.troubles()))
        (trouble,) = scoreboard.troubles()
        assert trouble.reason == "cannot take up the sources file: RuntimeError: meant to fail"
    context.reload()
    await until(lambda: second.polls > 0)
    await until(lambda: not scoreboard.troubles())
    context.stop.set()
    await running
