"""The composition root: configuration, log, what is named there, and then the service."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from rcmon import log
from rcmon.checking import Checked, Report, check, examine
from rcmon.config import Config, example, load, printed
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
        code = refuse(error.messages, EX_CONFIG)
    except RcmonError as error:
        code = refuse([str(error)], 1)
    leave(code)


def refuse(messages: Iterable[str], code: int) -> int:
    """Say on standard error what is wrong, each thing in one line."""
    for message in messages:
        line = " ".join(message.split())
        sys.stderr.write(f"rcmon: {line}\n")
    return code


def run(given: Config) -> int:
    """Do what the configuration asks for; raises RcmonError, ConfigError before anything was started."""
    if given.print_config:
        sys.stdout.write(printed(given) + "\n")
        return 0
    if given.print_example is not None:
        sys.stdout.write(example(given.print_example))
        return 0
    demo, config = None, given
    if given.demo:
        demo = prepare(Path(given.state_dir), given.synthetic)
        config = given.override("demo", **demo.overrides()).suggest("demo", **demo.suggestions())
    if given.check_config:
        return tell(examine(given, config, demo))
    write_log = log.set_up(
        config.log_level, config.log_format, config.log_file, config.log_rotate_size, config.log_rotate_keep
    )
    checked = check(config, demo)
    return Service(checked, write_log).run(lambda port: announce(checked, port))


def tell(report: Report) -> int:
    """Print what an examination found and give the exit code: 78 where anything would stop the start."""
    code = refuse((f"error: {line}" for line in report.errors), EX_CONFIG if report.errors else 0)
    for kind, lines in (("warning: ", report.warnings), ("", report.facts), ("", [report.verdict])):
        sys.stdout.writelines(f"{kind}{line}\n" for line in lines)
    return code


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
