"""Agents' databases, whatever their make: opened for one poll, only ever read, bounded in time."""

from rcmon.sources.database.database import Database
from rcmon.sources.database.reader import Reader, Row

__all__ = ["Database", "Reader", "Row"]
