"""Lost tables of a PostgreSQL store, made again: there is no file that could be set aside."""

from sqlalchemy import Connection, inspect, text

from rcmon.store.migrations import seed
from rcmon.store.tables import COLUMNS, GROUPS, LEASE, METADATA, SNAPSHOT


def make_again(connection: Connection, now: float) -> None:
    """Make each group of tables afresh of which one is lost, or has lost a column; the others stay."""
    found = inspect(connection)
    there = set(found.get_table_names())
    for group in GROUPS:
        if all(
            table.name in there
            and COLUMNS[table.name] <= {column["name"] for column in found.get_columns(table.name)}
            for table in group
        ):
            continue
        METADATA.drop_all(connection, [table for table in group if table.name in there])
        METADATA.create_all(connection, list(group))
        if SNAPSHOT in group:
            seed(connection, now)
        if LEASE in group:
            connection.execute(text("INSERT INTO lease VALUES ('collector', '', 0)"))
