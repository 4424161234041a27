"""`rcmon-cli`: from the command line to an exit status, whatever happens on the way."""

import os
import sys
from collections.abc import Iterator, Sequence

import click

from rcmon.terminal.commands.agents import agents
from rcmon.terminal.commands.check import UNKNOWN, check
from rcmon.terminal.commands.completion import PROGRAM, VARIABLE, completion
from rcmon.terminal.commands.drift import drift
from rcmon.terminal.commands.findings import findings
from rcmon.terminal.commands.journal import journal
from rcmon.terminal.commands.override import override
from rcmon.terminal.commands.site import site
from rcmon.terminal.commands.sites import sites
from rcmon.terminal.commands.top import top
from rcmon.terminal.commands.whoami import whoami
from rcmon.terminal.commands.why import why
from rcmon.terminal.failure import INTERRUPTED, SOFTWARE, OutputClosedError, TerminalError
from rcmon.terminal.session import connection
from rcmon.terminal.words import clean
from rcmon.version import VERSION


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(VERSION, prog_name=PROGRAM)
@connection
def rcmon_cli() -> None:
    """Show and change what rcmon knows of sites and agents, in a terminal.

    Say where it is with RCMON_URL; your grid certificate or proxy is found as grid tools find it.
    """


COMMANDS: tuple[click.Command, ...] = (
    top, sites, site, agents, why, drift, findings, journal, override, whoami, check, completion,
)  # fmt: skip
for _command in COMMANDS:
    rcmon_cli.add_command(_command)


def commands(group: click.Group = rcmon_cli) -> Iterator[tuple[str, str]]:
    """Give every command with its arguments, and what it does in a sentence."""
    for command in group.commands.values():
        context = click.Context(command, info_name=command.name)
        if isinstance(command, click.Group):
            for usage, meaning in commands(command):
                yield f"{command.name} {usage}", meaning
        else:
            arguments = [
                parameter.make_metavar(context)
                for parameter in command.params
                if isinstance(parameter, click.Argument)
            ]
            yield " ".join([command.name or "", *arguments]), (command.help or "").partition("\n\n")[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit status, one of `rcmon.terminal.failure.EXITS`, or `check`'s own."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no é is no reason to fail
    try:
        return _run(given)
    except OutputClosedError as error:
        return error.status
    except TerminalError as error:
        return _say(str(error), error.status)
    except click.ClickException as error:
        hint = (
            f" (see: {error.ctx.command_path} --help)"
            if isinstance(error, click.UsageError) and error.ctx
            else ""
        )
        return _say(f"{error.format_message()}{hint}", UNKNOWN if "check" in given[:1] else error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whoever sits at a terminal is told in a sentence
        return _say(
            f"an error of this program's own, please report it: {type(error).__name__}: {error}", SOFTWARE
        )


def _run(given: Sequence[str]) -> int:
    try:
        ended = rcmon_cli.main(list(given), prog_name=PROGRAM, complete_var=VARIABLE, standalone_mode=False)
    except SystemExit as end:  # of a completion, and where click itself finds nobody who reads
        return end.code if isinstance(end.code, int) else 0
    return ended if isinstance(ended, int) else 0


def _say(message: str, status: int) -> int:
    line = " ".join(clean(message.replace("\n", " ")).split())
    try:
        sys.stderr.write(f"{PROGRAM}: {line}\n")
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    return status


def console() -> None:
    """Be the console script."""
    sys.exit(main())
