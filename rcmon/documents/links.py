"""Paths of resources, for links in documents."""

from urllib.parse import quote

BASE = "/wm_resource_monitor"
"""Where the service lives."""
STATUS = f"{BASE}/api/status"
SITES = f"{BASE}/api/sites"
QUARANTINE = f"{BASE}/api/quarantine"


def site(name: str) -> str:
    """Name the path of one site."""
    return f"{SITES}/{quote(name, safe='')}"


def agent(name: str) -> str:
    """Name the path of one agent."""
    return f"{BASE}/api/agents/{quote(name, safe='')}"


def runbook(name: str) -> str:
    """Name the path of the page that says what to do about an alert or a kind of finding."""
    return f"{BASE}/runbooks/{quote(name, safe='')}"
