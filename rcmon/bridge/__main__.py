"""`python -m rcmon.bridge`: the same as the console script `rcmon-bridge`."""

import sys

from rcmon.bridge.cli import main

sys.exit(main())
