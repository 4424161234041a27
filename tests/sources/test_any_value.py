"""Any value that SQLite can hold, in any column of any table: it costs no more than itself."""

import math
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rcmon.collector.cycle import checked
from rcmon.model import Agent
from tests.anything import EXAMPLES, USUAL, examples
from tests.sources import loose
from tests.sources.polling import NOW, agent_of, poll
from tests.sources.small import SmallAgent

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=30),
    st.binary(max_size=30),
    st.sampled_from([0, 1, 2, "1", "2", 1.0, b"1", "n/a", math.inf, "18446744073709551615", NOW * 1000]),
)


@pytest.fixture(scope="module")
def any_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SmallAgent, Agent]]:
    """A small agent that takes any value, and what is read of it while it is sound."""
    agent = SmallAgent(tmp_path_factory.mktemp("any") / "agent.sqlite")
    loose.loosen(agent)
    yield agent, agent.poll()
    agent.close()


@settings(max_examples=examples(200), derandomize=EXAMPLES == USUAL)
@given(place=st.sampled_from(loose.PLACES), row=st.integers(1, 3), value=VALUES, as_text=st.booleans())
def test_any_value_in_any_column_costs_no_more_than_itself(
    any_agent: tuple[SmallAgent, Agent], place: tuple[str, str], row: int, value: object, as_text: bool
) -> None:
    agent, sound = any_agent
    table, column = place
    mark = "CAST(? AS TEXT)" if as_text and isinstance(value, bytes) else "?"
    before = agent.rows(f"SELECT {column} FROM {table} WHERE rowid = ?", row)
    agent.run(f"UPDATE {table} SET {column} = {mark} WHERE rowid = ?", value, row)
    found = agent_of(checked(poll(agent.url)))
    for (old,) in before:
        agent.run(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", old, row)
    if table in ("wm_workers", "wm_components"):
        assert found.sites == sound.sites
        kept = [
            name for name, worker in loose.workers(sound).items() if loose.workers(found).get(name) == worker
        ]
        assert len(kept) >= (2 if table == "wm_workers" else 1)
    elif table != "wmbs_location" or column != "id":
        assert loose.workers(found) == loose.workers(sound)
        assert found.sites["T2_CH_CERN" if row == 1 or "location" not in table else "T1_DE_KIT"]
