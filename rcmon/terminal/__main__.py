"""`python -m rcmon.terminal` is `rcmon-cli`."""

import sys

from rcmon.terminal.main import main

if __name__ == "__main__":
    sys.exit(main())
