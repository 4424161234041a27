"""Long work waits for what is urgent, and not for ever; one piece of work is done at a time."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from rcmon.store import Store, calm
from rcmon.store.calm import Calm
from tests.store.using import newest_id

Rest = Callable[[], None]


def test_work_rests_until_all_that_is_urgent_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calm, "LONGEST_REST", 600.0)
    here, order = Calm(), []

    def work() -> None:
        here.rest()
        order.append("work")

    resting = threading.Thread(target=work)
    with here.disturbed():
        with here.disturbed():
            resting.start()
        resting.join(0.2)  # would end here, did it not wait
        order.append("urgent")
    resting.join()
    assert order == ["urgent", "work"]
    here.rest()


def test_what_is_urgent_and_hangs_does_not_hold_it_up() -> None:
    here = Calm()
    with here.disturbed():
        here.rest()
        here.rest()


async def test_looking_at_the_store_disturbs_and_asking_does_not(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturbed = []
    monkeypatch.setattr(store._calm, "_count", disturbed.append)
    await store.ask(lambda _: None)
    assert disturbed == []
    await newest_id(store)
    assert disturbed == [1, -1]


async def test_one_work_is_done_at_a_time(store: Store) -> None:
    running: list[int] = []
    most = []

    def work(rest: Rest) -> int:
        running.append(1)
        for _ in range(1000):
            rest()
            most.append(len(running))
        running.pop()
        return max(most)

    assert await asyncio.gather(*(store.compute(work) for _ in range(5))) == [1] * 5
