"""rcmon: the Workload Management Resource Control Monitor."""

from rcmon import version

__version__ = version.VERSION
