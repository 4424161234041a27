"""The demo: everything that `run.py --demo` needs and no real service has."""

from rcmon.demo.demo import Demo, prepare
from rcmon.demo.moving import keep_moving
from rcmon.demo.simulation import Simulation
from rcmon.demo.synthetic import SyntheticSource, parse_shape

__all__ = ["Demo", "Simulation", "SyntheticSource", "keep_moving", "parse_shape", "prepare"]
