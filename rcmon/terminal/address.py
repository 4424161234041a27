"""Where the service is."""

import httpx2

from rcmon.terminal.failure import CONFIG, TerminalError

MOUNT = "/wm_resource_monitor"
"""Where everything of the service lies, below its host."""
_DEFAULT_PORT = 443


def base_of(given: str | None) -> httpx2.URL:
    """Read what `--url` or RCMON_URL says: https://HOST:PORT, with the mount behind it or without."""
    if not given:
        raise TerminalError(
            "where is rcmon? Say it with --url or RCMON_URL, such as https://HOST:5000", CONFIG
        )
    try:
        url = httpx2.URL(given)
    except (httpx2.InvalidURL, ValueError) as error:
        raise _wrong(given, f"is no address ({error})") from error
    if url.scheme != "https" or not url.host:
        raise _wrong(given, "is no address of https")
    if url.userinfo or url.query or url.fragment:
        raise _wrong(given, "says more than an address")
    if url.path.rstrip("/") not in ("", MOUNT):
        raise _wrong(given, f"has the path {url.path}")
    return url.copy_with(path=MOUNT)


def shown(base: httpx2.URL) -> str:
    """Name the service for people."""
    host = f"[{base.host}]" if ":" in base.host else base.host
    return f"{host}:{base.port or _DEFAULT_PORT}"


def _wrong(given: str, what: str) -> TerminalError:
    return TerminalError(f"{given!r} {what}; right is https://HOST:PORT", CONFIG)
