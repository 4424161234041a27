"""The composition root: configuration, log, what is named there, and then the service."""

import os
import sys
from pathlib import Path

from rcmon import log
from rcmon.checking import Checked, check
from rcmon.config.config import Config, load, printed
from rcmon.demo.demo import Demo, prepare
from rcmon.demo.pki import P12_PASSWORD
from rcmon.errors import ConfigError, RcmonError
from rcmon.process import leave
from rcmon.service import Service
from rcmon.version import VERSION

EX_CONFIG = 78
"""Exit code for whatever the user can mend (sysexits.h)."""


def main() -> None:
    """Run rcmon and leave the process with its exit code."""
    log.name_process("rcmon")
    try:
        code = run(load(sys.argv[1:], os.environ, VERSION))
    except ConfigError as error:
        code = refuse(error, EX_CONFIG)
    except RcmonError as error:
        code = refuse(error, 1)
    leave(code)


def refuse(error: RcmonError, code: int) -> int:
    """Say in one line on standard error what is wrong."""
    line = " ".join(str(error).split())
    sys.stderr.write(f"rcmon: {line}\n")
    return code


def run(config: Config) -> int:
    """Do what the configuration asks for; raises RcmonError, ConfigError before anything was started."""
    if config.print_config:
        sys.stdout.write(printed(config) + "\n")
        return 0
    demo = None
    if config.demo:
        demo = prepare(Path(config.state_dir), config.synthetic)
        config = config.override("demo", **demo.overrides())
    write_log = log.set_up(
        config.log_level, config.log_format, config.log_file, config.log_rotate_size, config.log_rotate_keep
    )
    checked = check(config, demo)
    if config.check_config:
        sys.stdout.write("the configuration is right\n")
        return 0
    return Service(checked, write_log).run(lambda port: announce(checked, port))


def announce(checked: Checked, port: int) -> None:
    """Print where the service is, and in the demo how to ask it."""
    if checked.demo is not None:
        sys.stdout.write(announcement(checked.demo, checked.config.host, port))
        sys.stdout.flush()


def announcement(demo: Demo, host: str, port: int) -> str:
    """Write the demo's address and the line that asks it."""
    line = demo.curl_line(host, port)
    page = line.rsplit(" ", 1)[1].removesuffix("/api/status")
    return (
        f"rcmon is at {page}/\nTry:\n{line}\n"
        f"In a browser: import {demo.pki.p12('reader')} (password: {P12_PASSWORD}), then open {page}/\n"
    )
