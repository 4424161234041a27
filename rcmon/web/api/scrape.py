"""What a scrape may ask for, and what that stands for among the families and agents that there are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from rcmon.web.answers.problems import Problem
from rcmon.web.api.query import Agent, Many, Query

Part = Literal["grid", "common", "service"]
Collected = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9_]{1,100}$(?!\n)",
        description="a collector such as sites, or a family by its name such as rcmon_site_state",
    ),
]


class ScrapeQuery(Query, frozen=True, kw_only=True):
    """What `/api/metrics` takes; without any, everything is given."""

    part: Part | None = None
    """grid: all of the snapshot; common: what of it is of no single agent; service: this service's own."""
    agent: Many[Agent] = ()
    """Of the grid what is of these agents alone."""
    collect: Many[Collected] = field(default=(), name="collect[]")
    """Nothing but these."""


class Selection(Struct, frozen=True):
    """What is asked for, among what there is."""

    grid: bool
    """Whether something of the snapshot is."""
    common: bool
    """Whether what is of no single agent is."""
    service: bool
    agents: frozenset[str] | None
    """None: all."""
    families: frozenset[str] | None
    """None: all."""

    def has(self, family: str) -> bool:
        """Tell whether a family is asked for."""
        return self.families is None or family in self.families

    def is_of(self, agent: str | None) -> bool:
        """Tell whether what an agent has in the snapshot is asked for; None: what is of no single one."""
        if agent is None:
            return self.common
        return self.agents is None or agent in self.agents


def choose(asked: ScrapeQuery) -> Selection:
    """Read what is asked for, but for the names. Raises Problem 400 for what contradicts itself."""
    if asked.agent and asked.part not in (None, "grid"):
        raise Problem(
            400,
            f"Parameter 'agent' goes with part=grid or without a part, not with part={asked.part}:"
            " that is of no single agent.",
            parameter="part",
            value=asked.part,
            allowed="grid, or nothing, where an agent is asked for",
        )
    grid = asked.part != "service"
    agents = frozenset(asked.agent) if asked.agent else None
    return Selection(
        grid=grid,
        common=grid and not asked.agent,
        service=asked.part == "service" or (asked.part is None and not asked.agent),
        agents=frozenset() if asked.part == "common" else agents,
        families=None,
    )


def families_of(collected: Sequence[str], collectors: Mapping[str, Iterable[str]]) -> frozenset[str] | None:
    """Find the families that are asked for, None: all; `collectors` are all families by collector.

    Raises Problem 400 for a name that is neither a collector's nor a family's.
    """
    every = {name for names in collectors.values() for name in names}
    found: set[str] = set()
    for name in collected:
        if name not in collectors and name not in every:
            raise _unknown(
                "collect[]", name, [*collectors, *sorted(every)], _SAID.format(", ".join(collectors))
            )
        found.update(collectors.get(name, (name,)))
    return frozenset(found) if collected else None


_SAID = "a collector ({}) or a family's name such as rcmon_site_state"


def check_agents(asked: Iterable[str], known: Sequence[str]) -> None:
    """Raise Problem 400 for an agent of which the snapshot has nothing."""
    for name in asked:
        if name not in known:
            raise _unknown(
                "agent", name, list(known), "one of " + (", ".join(known) or "none: there is no agent")
            )


def _unknown(parameter: str, value: str, allowed: list[str], said: str) -> Problem:
    return Problem(
        400,
        f"Parameter {parameter!r} has the value {value!r}; allowed is {said}.",
        parameter=parameter,
        value=value,
        allowed=allowed,
    )
