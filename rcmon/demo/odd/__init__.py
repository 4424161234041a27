"""The demo's testbed: seven small agents, in which each thing that can be wrong is wrong once."""

from rcmon.demo.odd.agents import BATCH, DEAF, DRAINED, ODD_AGENTS, SILENT, TWICE, OddAgent
from rcmon.demo.odd.beating import Testbed
from rcmon.demo.odd.databases import write_odd_agent
from rcmon.demo.odd.sites import PLAIN

__all__ = [
    "BATCH",
    "DEAF",
    "DRAINED",
    "ODD_AGENTS",
    "PLAIN",
    "SILENT",
    "TWICE",
    "OddAgent",
    "Testbed",
    "write_odd_agent",
]
