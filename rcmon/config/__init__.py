"""The configuration: one table of options, read from command line, environment and file to a Config."""

from rcmon.config.config import Config, load
from rcmon.config.examples import example, example_names
from rcmon.config.options import OPTIONS, Option
from rcmon.config.printing import printed

__all__ = ["OPTIONS", "Config", "Option", "example", "example_names", "load", "printed"]
