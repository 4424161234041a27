"""Version 11: replicas poll for the one that collects."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add who can poll, and what is assigned; on a server without a log: they last as long as a poll."""
    dialect = op.get_context().dialect.name
    real, blob = {"sqlite": ("DOUBLE", "BLOB"), "postgresql": ("DOUBLE PRECISION", "BYTEA")}[dialect]
    table = {"sqlite": "TABLE", "postgresql": "UNLOGGED TABLE"}[dialect]
    op.execute(
        f"CREATE {table} poller (replica TEXT NOT NULL PRIMARY KEY, release TEXT NOT NULL,"
        f" expires {real} NOT NULL)"
    )
    op.execute(
        f"CREATE {table} assignment (source TEXT NOT NULL PRIMARY KEY, ticket TEXT NOT NULL,"
        f" replica TEXT NOT NULL, kind TEXT NOT NULL, started {real} NOT NULL, taken BOOLEAN NOT NULL,"
        f" error TEXT, batch {blob})"
    )
