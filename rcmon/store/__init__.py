"""The store: snapshots, their rendered documents, history and the collector's lease, in one database.

`Store` gives connections; what is asked over them is in one module for each thing that is kept.
"""

from rcmon.store.store import Store

__all__ = ["Store"]
