"""Version 5: history by task type, days of it packed, and the grid's totals."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# a table that was lost is made again after the upgrade. A packed day is too large for a clustered row of
# SQLite, which keeps a quarter of a page at most.
_TABLES = """
ALTER TABLE {there}history ADD COLUMN tasks {blob};
CREATE TABLE chunk (
    series BIGINT NOT NULL REFERENCES series (id) ON DELETE CASCADE, step BIGINT NOT NULL,
    begin BIGINT NOT NULL, points BIGINT NOT NULL, body {blob} NOT NULL, tasks {blob} NOT NULL,
    PRIMARY KEY (series, step, begin));
CREATE TABLE grid (time {real} NOT NULL PRIMARY KEY, body {blob} NOT NULL){clustered}
"""
_WORDS = {
    "sqlite": {"real": "DOUBLE", "blob": "BLOB", "clustered": " WITHOUT ROWID", "there": ""},
    "postgresql": {"real": "DOUBLE PRECISION", "blob": "BYTEA", "clustered": "", "there": "IF EXISTS "},
}
_UNCOMPRESSED = """
ALTER TABLE chunk ALTER body SET STORAGE EXTERNAL;
ALTER TABLE chunk ALTER tasks SET STORAGE EXTERNAL
"""


def upgrade() -> None:
    """Add what was not kept before: what is there stays as it is, and is packed little by little."""
    kind = op.get_context().dialect.name
    statements = _TABLES.format_map(_WORDS[kind]) + (";" + _UNCOMPRESSED if kind == "postgresql" else "")
    for statement in statements.split(";"):
        op.execute(statement)
