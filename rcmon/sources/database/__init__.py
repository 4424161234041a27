"""Agents' databases, whatever their make: opened for one poll, only ever read, bounded in time."""

from rcmon.sources.database.database import Database
from rcmon.sources.database.reader import DatabaseReader, Row

__all__ = ["Database", "DatabaseReader", "Row"]
