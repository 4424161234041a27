"""Version 9: days of history are packed so that one point is read without the rest."""

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing: a release that would take what is packed now for damage must not open the store.

    What was packed before stays as it is, and is read (`rcmon.store.chunks_before`).
    """
