"""The store: snapshots, their rendered documents, history and the collector's lease, in one database."""

from rcmon.store.notes import Note
from rcmon.store.store import Store

__all__ = ["Note", "Store"]
