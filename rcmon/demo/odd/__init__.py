"""The demo's testbed: six small agents, in which each thing that can be wrong is wrong once."""

from rcmon.demo.odd.agents import BATCH, ODD_AGENTS, OddAgent
from rcmon.demo.odd.beating import Testbed
from rcmon.demo.odd.databases import write_odd_agent

__all__ = ["BATCH", "ODD_AGENTS", "OddAgent", "Testbed", "write_odd_agent"]
