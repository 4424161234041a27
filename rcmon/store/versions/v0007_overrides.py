"""Version 7: what operators set in place of what would hold by itself."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add overrides, and what changed them."""
    real = {"sqlite": "DOUBLE", "postgresql": "DOUBLE PRECISION"}[op.get_context().dialect.name]
    # agent '': every agent; a key must not be null
    op.execute(
        "CREATE TABLE override (site TEXT NOT NULL, agent TEXT NOT NULL, state TEXT, running BIGINT,"
        f" pending BIGINT, mode TEXT NOT NULL, until {real}, reason TEXT NOT NULL, subject TEXT NOT NULL,"
        f" made {real} NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (site, agent))"
    )
    op.execute(
        "CREATE TABLE override_change (number BIGINT NOT NULL, site TEXT NOT NULL, agent TEXT NOT NULL,"
        f" time {real} NOT NULL, who TEXT, cause TEXT NOT NULL, before TEXT, after TEXT, undoes BIGINT,"
        " PRIMARY KEY (number, site, agent))"
    )
    op.execute("CREATE INDEX override_change_place ON override_change (site, agent, number)")
