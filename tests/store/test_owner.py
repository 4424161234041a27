"""A store knows whose it is, and refuses another's."""

from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from rcmon.errors import StoreForeignError
from rcmon.store import Store
from rcmon.store.about import DEMO, PRODUCTION
from tests.store.made import snapshot
from tests.store.using import newest_id, save


@pytest.mark.parametrize(("whose", "other"), [(DEMO, PRODUCTION), (PRODUCTION, DEMO)])
async def test_a_store_of_another_is_refused_with_what_to_do_and_left_alone(
    url: str | URL, whose: str, other: str
) -> None:
    first, second = Store(url, whose), Store(url, other)
    await first.migrate()
    number = await save(first, snapshot(), [], [])
    with pytest.raises(
        StoreForeignError,
        match=f"the store of {whose}, and this is {other}: name another one with --database",
    ) as caught:
        await second.migrate()
    assert "\n" not in str(caught.value)
    assert await newest_id(first) == number
    await first.close()
    await second.close()
    await first.migrate()
    assert await newest_id(first) == number
    await first.close()


async def test_another_s_store_that_comes_in_place_of_a_running_one_is_set_aside(tmp_path: Path) -> None:
    mine, theirs = Store(f"sqlite:///{tmp_path}/mine"), Store(f"sqlite:///{tmp_path}/theirs", DEMO)
    for store in (mine, theirs):
        await store.migrate()
        await save(store, snapshot(), [], [])
        await store.close()
    before = (tmp_path / "theirs").read_bytes()
    (tmp_path / "theirs").rename(tmp_path / "mine")
    await mine.migrate("it was exchanged")
    assert await newest_id(mine) is None
    await mine.close()
    (aside,) = tmp_path.glob("mine.damaged-*")
    assert aside.stat().st_size == len(before)
