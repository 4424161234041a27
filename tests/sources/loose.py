"""The small agent in tables without keys and types: SQLite then takes any value in any column."""

from rcmon.model import Agent, Worker
from tests.sources.schema import METADATA
from tests.sources.small import SmallAgent

PLACES = [(table.name, column.name) for table in METADATA.sorted_tables for column in table.columns]
"""Every column of every table."""


def loosen(agent: SmallAgent) -> None:
    """Take keys and types away, and give a neighbour to what has none."""
    agent.run("INSERT INTO wm_components VALUES (2, 'ErrorHandler', 4713, 7200)")
    for name in ("ErrorHandlerPoller", "ErrorHandlerOther"):
        agent.run(
            "INSERT INTO wm_workers VALUES (2, ?, 1767268700, 'Running', 1, 120, 1767100000, 1.5, 'a', 'b')",
            name,
        )
    agent.run("INSERT INTO wmbs_file_location VALUES (1, 1), (2, 2)")
    agent.run("INSERT INTO wmbs_subscription_validation VALUES (1, 1, 1), (1, 2, 1)")
    agent.job("created", files=(1,))
    agent.job("created", files=(2,), group=2)
    agent.job("executing", site=2, status="Running", group=2)
    for table in METADATA.sorted_tables:
        names = ", ".join(column.name for column in table.columns)
        agent.run(f"CREATE TABLE loose ({names})")
        agent.run(f"INSERT INTO loose SELECT {names} FROM {table.name}")
        agent.run(f"DROP TABLE {table.name}")
        agent.run(f"ALTER TABLE loose RENAME TO {table.name}")


def workers(agent: Agent) -> dict[str, Worker]:
    """Give an agent's workers by name."""
    return {worker.name: worker for part in agent.components or () for worker in part.workers}
