"""What this service is, as it was set up."""

import platform
from collections.abc import Sequence

from msgspec import Struct

from rcmon.documents import links
from rcmon.version import VERSION

NAME = "rcmon"
FULL_NAME = "Workload Management Resource Control Monitor"
BASE = links.BASE
"""Where the service lives."""
PYTHON_VERSION = platform.python_version()


class About(Struct, frozen=True, kw_only=True):
    """What handlers tell of the service beside its data."""

    processes: tuple[str, ...]
    """What each slot of the scoreboard is for, in order, such as `web-0` and `collector`."""
    cycle_interval: float
    """As configured, seconds."""
    store_kind: str
    """Which database the store is, such as `sqlite`; never its URL."""
    replica: str = ""
    """What this replica is called among those that share the store."""
    replicas: tuple[str, ...] = ()
    """Where each replica is scraped, HOST:PORT; none: wherever it was asked."""
    name: str = NAME
    version: str = VERSION

    @property
    def web_slots(self) -> Sequence[int]:
        """The slots of the web processes; a single process is one too."""
        named = [index for index, name in enumerate(self.processes) if name.startswith("web")]
        return named or range(len(self.processes))
