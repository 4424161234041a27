"""What stands in sys.modules in the place of what is not installed: CouchDB, HTCondor, CRIC, Oracle's client.

Call these before the import of what is asked. Only what surrounds a decision is replaced; what decides stays
WMCore's. Standard output is the answer's alone.
"""

import json
import logging
import sys
import types

logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)


class _Anything(types.ModuleType):
    """A module, or package, that has every name as an empty class."""

    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def anything(*names):
    """Put modules that hold an empty class under every name."""
    for name in names:
        sys.modules[name] = _Anything(name)


def module(name, **members):
    """Put a module that holds these members and nothing else."""
    made = types.ModuleType(name)
    made.__dict__.update(members)
    sys.modules[name] = made


def question():
    """Read what is asked."""
    return json.load(sys.stdin)


def answer(found):
    """Write what was found."""
    json.dump(found, sys.stdout)
