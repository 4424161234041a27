"""Where Prometheus scrapes what, as its HTTP service discovery reads it."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

_HTTPS = 443


class TargetGroup(Struct, frozen=True):
    """Addresses that are scraped alike."""

    targets: tuple[str, ...]
    labels: Mapping[str, str]
    """What the targets are asked for (`__param_…`), and what tells their series of scraping apart."""


def targets(asked: str, agents: Sequence[str], replicas: Sequence[str]) -> list[TargetGroup]:
    """List what to scrape so that no series comes twice.

    The grid is the same whoever serves it: one target for each agent, and one for what is of no single one,
    at the address that was asked. `instance` says of these what they are, since they share that address.
    Each of the `replicas` has a part of its own; without any it is the one that was asked.
    """
    whole = (_with_port(asked),)
    grid = [
        TargetGroup(whole, {"__param_part": "grid", "__param_agent": agent, "instance": agent})
        for agent in agents
    ]
    common = TargetGroup(whole, {"__param_part": "common", "instance": "common"})
    return [*grid, common, TargetGroup(tuple(replicas) or whole, {"__param_part": "service"})]


def _with_port(host: str) -> str:
    """Name the port: only that of HTTPS goes without saying."""
    return host if host.rpartition(":")[2].isdecimal() and not host.endswith("]") else f"{host}:{_HTTPS}"
