"""Version 10: a day of many points is packed in parts, so that one point is read without the other parts."""

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing: a release that would take what is packed now for damage must not open the store.

    What was packed before stays as it is, and is read (`rcmon.store.forms`).
    """
