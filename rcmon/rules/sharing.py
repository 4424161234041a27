"""How a team shares a site by weights, in numbers that unmodified agents understand. Pure.

Of the cores C that it is told an agent makes C running slots, and C / N / 2 pending ones where N agents are
of its team: so it is told more cores where it is to have more than one N-th, and fewer where less.
"""

import math
from collections.abc import Mapping


def split(total: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Split a whole number by weights: the sum is the total, and nobody is off by one or more.

    Without any weight at all everybody gets nothing.
    """
    whole = math.fsum(weights.values())
    if total <= 0 or whole <= 0:
        return dict.fromkeys(weights, 0)
    exact = {name: total * (weight / whole) for name, weight in weights.items()}
    shares = {name: int(part) for name, part in exact.items()}
    left = total - sum(shares.values())
    byrest = sorted(exact, key=lambda name: (shares[name] - exact[name], name))
    for name in byrest[: max(left, 0)]:
        shares[name] += 1
    return shares


def pending_in_all(cores: int, agents: int, of_them: int, percent: int) -> int:
    """Tell how many pending slots those may have together who are `of_them` of a team of `agents`."""
    return cores * of_them * percent // (100 * agents)


def cores_for(pending: int, agents: int, percent: int) -> int:
    """Tell how many cores make an agent of a team of `agents` set exactly so many pending slots.

    `percent`: its `pendingSlotsSitePercent`. Less than the least of WMCore gives the least.
    """
    cores = math.ceil(pending * agents * 100 / percent)
    while int(cores / agents * percent / 100) < pending:
        cores += 1  # the agent's own arithmetic rounds once more
    return cores


def is_shared_alike(weights: Mapping[str, float]) -> bool:
    """Tell whether all have the same weight, and some: then upstream's numbers say what they should."""
    return len(set(weights.values())) <= 1 and all(weights.values())
