"""What batch statuses mean, by the plug-in that a site is submitted through (WMCore.BossAir.Plugins)."""

from collections.abc import Mapping
from types import MappingProxyType

from rcmon.model import JobClass

_CLASSES: Mapping[str, Mapping[JobClass, tuple[str, ...]]] = {
    "SimpleCondorPlugin": {
        "pending": ("New", "Idle"),
        "running": ("Running", "TransferOutput"),
        "error": ("Removed", "Held", "Suspended", "Timeout", "Unknown"),
        "complete": ("Completed",),
    },
    "LsfPlugin": {
        "pending": ("New", "PEND", "PSUSP", "WAIT"),
        "running": ("RUN", "USUSP", "SSUSP"),
        "error": ("EXIT", "UNKWN", "ZOMBI", "Timeout"),
        "complete": ("DONE",),
    },
    "MockPlugin": {
        "pending": ("New", "Submitted", "Waiting", "Ready", "Scheduled"),
        "running": ("Running", "Done", "Done(failed)"),
        "error": ("Timeout", "Aborted", "Cancelled"),
        "complete": ("Cleared", "Cancelled by user"),
    },
}

PLUGINS: Mapping[str, Mapping[str, JobClass]] = MappingProxyType(
    {
        plugin: {status: job_class for job_class, statuses in classes.items() for status in statuses}
        for plugin, classes in _CLASSES.items()
    }
)
"""The class of each batch status, by plug-in."""


def job_class(plugin: str | None, status: str | None) -> JobClass:
    """Class a batch status; `unknown` where the site has no known plug-in or it does not list the status."""
    if plugin is None or status is None:
        return "unknown"
    return PLUGINS.get(plugin, {}).get(status, "unknown")
