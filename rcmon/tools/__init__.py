"""Tools for people who want access, or give it: `python -m rcmon.tools.dn`, `python -m rcmon.tools.check`."""
