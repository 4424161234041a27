"""The way in from a clone: it says what to do where the packages are not there that rcmon is made of."""

import sys

try:
    from rcmon.cli import main
except ModuleNotFoundError as error:
    if error.name is None or error.name.split(".")[0] == "rcmon":
        raise
    sys.stderr.write(
        f"rcmon: the package {error.name} is not installed for {sys.executable};"
        " in the clone, do: python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/python run.py\n"
    )
    sys.exit(78)

__all__ = ["main"]
