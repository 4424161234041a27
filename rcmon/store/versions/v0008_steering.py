"""Version 8: what agents are steered with."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add control documents, what the guard remembers and holds, weights, and who asked when."""
    real, blob = {"sqlite": ("DOUBLE", "BLOB"), "postgresql": ("DOUBLE PRECISION", "BYTEA")}[
        op.get_context().dialect.name
    ]
    op.execute(
        "CREATE TABLE control (version BIGINT NOT NULL, agent TEXT NOT NULL,"
        f" time {real} NOT NULL, body {blob} NOT NULL, PRIMARY KEY (version, agent))"
    )
    op.execute(f"CREATE TABLE steering (name TEXT NOT NULL PRIMARY KEY, body {blob} NOT NULL)")
    op.execute(
        f"CREATE TABLE quarantine (id TEXT NOT NULL PRIMARY KEY, opened {real} NOT NULL,"
        f" decision TEXT NOT NULL, decided {real}, who TEXT, reason TEXT, ended {real}, body {blob} NOT NULL)"
    )
    op.execute(
        f"CREATE TABLE weight (agent TEXT NOT NULL, site TEXT NOT NULL, weight {real} NOT NULL,"
        f" made {real} NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (agent, site))"
    )
    op.execute(
        "CREATE TABLE asked (agent TEXT NOT NULL PRIMARY KEY, version BIGINT NOT NULL,"
        f" time {real} NOT NULL, earlier TEXT NOT NULL)"
    )
