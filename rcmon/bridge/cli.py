"""`rcmon-bridge`: from the command line to a running bridge, or to what `--check` finds."""

import asyncio
import os
import sys
from collections.abc import Sequence

from rcmon import log
from rcmon.bridge.check import examine
from rcmon.bridge.options import load
from rcmon.bridge.running import serve
from rcmon.errors import ConfigError
from rcmon.version import VERSION

EX_CONFIG = 78
"""Exit code for whatever the user can mend (sysexits.h)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bridge, or its examination; returns the exit code."""
    log.name_process("rcmon-bridge")
    try:
        settings = load(sys.argv[1:] if arguments is None else arguments, os.environ, VERSION)
        if settings.check:
            lines, fits = asyncio.run(examine(settings))
            sys.stdout.writelines(f"{line}\n" for line in lines)
            return 0 if fits else 1
        log.set_up(settings.log_level, settings.log_format, None)
        asyncio.run(serve(settings))
    except ConfigError as error:
        for message in error.messages:
            sys.stderr.write(f"rcmon-bridge: {' '.join(message.split())}\n")
        return EX_CONFIG
    return 0
