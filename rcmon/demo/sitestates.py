"""Which sites of the demo's grid are out of work, and when they come back."""

import heapq
from collections.abc import Mapping
from random import Random

from rcmon.demo.agents import STUBBORN_SITES
from rcmon.demo.grid import dice
from rcmon.demo.sites import SITES

CHANGE_EVERY = 75.0
"""Mean seconds from one site's leaving Normal to the next one's."""
AWAY = (150.0, 900.0)
"""For how long a site stays away, seconds."""
LAG = 45.0
"""Agents notice within this many seconds, each at a time of its own: meanwhile they disagree."""
MOST_AWAY = 10
_STATES = ("Draining",) * 12 + ("Down",) * 7 + ("Aborted",)


def initial_states(seed: str) -> dict[str, str]:
    """Draw which sites are not Normal when the demo starts."""
    rng = dice(seed, "states")
    names = [site.name for site in SITES if site.name not in STUBBORN_SITES]
    return dict(zip(rng.sample(names, 7), ("Draining",) * 4 + ("Down",) * 2 + ("Aborted",), strict=True))


class SiteStates:
    """Plans which site changes when, for every agent.

    Each call of `advance` lets time pass and gives what changed: agent, site, state.
    """

    def __init__(self, rng: Random, agents: tuple[str, ...], away: Mapping[str, str]) -> None:
        self._rng = rng
        self._agents = agents
        self._clock = 0.0
        self._away = dict(away)
        self._next = CHANGE_EVERY * rng.random()
        self._returns: list[tuple[float, str]] = []
        self._news: list[tuple[float, str, str, str]] = []
        for site in away:
            self._plan_return(site)

    def advance(self, seconds: float) -> list[tuple[str, str, str]]:
        """Let `seconds` pass."""
        self._clock += seconds
        while self._returns and self._returns[0][0] <= self._clock:
            _, site = heapq.heappop(self._returns)
            del self._away[site]
            self._tell(site, "Normal")
        if self._next <= self._clock:
            self._next = self._clock + self._rng.expovariate(1 / CHANGE_EVERY)
            self._send_one_away()
        changed = []
        while self._news and self._news[0][0] <= self._clock:
            _, agent, site, state = heapq.heappop(self._news)
            changed.append((agent, site, state))
        return changed

    @property
    def away(self) -> Mapping[str, str]:
        """The state of each site that is not Normal, whoever noticed."""
        return dict(self._away)

    def _send_one_away(self) -> None:
        """Take a site out of work, unless many are already."""
        names = [
            site.name for site in SITES if site.name not in self._away and site.name not in STUBBORN_SITES
        ]
        if len(self._away) < MOST_AWAY:
            site = self._rng.choice(names)
            self._away[site] = self._rng.choice(_STATES)
            self._tell(site, self._away[site])
            self._plan_return(site)

    def _plan_return(self, site: str) -> None:
        """Draw when a site comes back; never before every agent knows that it was away."""
        heapq.heappush(self._returns, (self._clock + LAG + self._rng.uniform(*AWAY), site))

    def _tell(self, site: str, state: str) -> None:
        """Let each agent notice in its own time."""
        for agent in self._agents:
            heapq.heappush(self._news, (self._clock + self._rng.uniform(0, LAG), agent, site, state))
