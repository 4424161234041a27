"""Where the pages of sites, agents and findings are."""

from urllib.parse import quote, urlencode

from rcmon.web.about import BASE


def site_page(name: str, **asked: str) -> str:
    """Tell the address of a site's page; what is asked as nothing is left out."""
    return f"{BASE}/sites/{quote(name, safe='')}{_query(asked)}"


def agent_page(name: str, **asked: str) -> str:
    """Tell the address of an agent's page."""
    return f"{BASE}/agents/{quote(name, safe='')}{_query(asked)}"


QUARANTINE_PAGE = f"{BASE}/quarantine"


def findings_page(**asked: str) -> str:
    """Tell the address of the list of findings."""
    return f"{BASE}/findings{_query(asked)}"


def _query(asked: dict[str, str]) -> str:
    given = {name: text for name, text in asked.items() if text}
    return f"?{urlencode(given)}" if given else ""
