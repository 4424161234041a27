"""The schema's revisions, oldest first; Alembic reads them as files, nobody imports them."""
