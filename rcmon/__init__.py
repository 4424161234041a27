"""The Workload Management Resource Control Monitor. Any Python can read this file, to say which is needed."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - for whoever starts run.py by a python of the system
    sys.stderr.write("rcmon: needs Python 3.11 or newer; this is " + sys.version.split()[0] + "\n")
    sys.exit(78)
