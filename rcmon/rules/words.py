"""What the site status board says, in words for a person. Pure."""

from datetime import UTC, datetime

from rcmon.model import Manual, SiteStatus


def status_words(site: str, status: SiteStatus | None) -> str:
    """Say what the board says of a site that it leaves no state for."""
    if status is None or status.status is None:
        return f"the site status board has no status of {site}"
    return f"the site status board says {status.status!r} of {site}"


def manual_words(site: str, manual: Manual) -> str:
    """Say whose word it is that the board holds a site in a status."""
    parts = [f"{manual.who or 'somebody'} set {site} to {manual.status} by hand in the site status board"]
    if manual.when is not None:
        parts.append(f"on {time_words(manual.when)}")
    if manual.mode:
        parts.append(f"({manual.mode})")
    if manual.why:
        parts.append(f"because: {manual.why}")
    return " ".join(parts)


def time_words(when: float) -> str:
    """Write a time, seconds since the epoch, for a person."""
    try:
        return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return f"{when:.0f} s of the epoch"
