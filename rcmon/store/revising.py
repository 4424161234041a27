"""Alembic at work. `rcmon.store.migrations` loads it only where a store is made or upgraded."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def scripts() -> Config:
    """Tell Alembic where the revisions are, without any ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def revisions(config: Config) -> tuple[str, ...]:
    """Give the names of all revisions, oldest first."""
    walked = ScriptDirectory.from_config(config).walk_revisions()
    return tuple(reversed([script.revision for script in walked]))


def stamp(connection: Connection, config: Config | None, revision: str) -> None:
    """Note that the schema is of that revision already."""
    command.stamp(_over(connection, config), revision)


def upgrade(connection: Connection, config: Config | None) -> None:
    """Run the revisions that are missing, in the caller's transaction."""
    command.upgrade(_over(connection, config), "head")


def _over(connection: Connection, config: Config | None) -> Config:
    config = config or scripts()
    config.attributes["connection"] = connection
    return config
