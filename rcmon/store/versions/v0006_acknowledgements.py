"""Version 6: who knows of which finding."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the acknowledgements of findings."""
    real = {"sqlite": "DOUBLE", "postgresql": "DOUBLE PRECISION"}[op.get_context().dialect.name]
    op.execute(
        "CREATE TABLE acknowledgement (finding TEXT NOT NULL PRIMARY KEY,"
        f" made {real} NOT NULL, until {real} NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL)"
    )
