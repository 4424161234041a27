"""Every command says what it does; a shell completes commands, sites and agents."""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from rcmon.terminal.main import rcmon_cli
from tests.browser.site import Site
from tests.servers import need
from tests.terminal.asking import environment, program
from tests.terminal.conftest import Run


def commands(command: click.Command, *way: str) -> Iterator[tuple[str, ...]]:
    yield way
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, *way, name)


@pytest.mark.parametrize("way", list(commands(rcmon_cli)), ids=" ".join)
def test_every_command_has_help_without_a_certificate_or_a_service(run: Run, way: tuple[str, ...]) -> None:
    said = run(*way, "--help", persona=None, RCMON_URL="", HOME="/nowhere")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(f"Usage: {' '.join(('rcmon-cli', *way))} ")
    assert run(*way, "-h").out == said.out


def test_every_option_and_command_says_what_it_is_for() -> None:
    def walk(command: click.Command) -> Iterator[click.Command]:
        yield command
        if isinstance(command, click.Group):
            yield from itertools.chain.from_iterable(map(walk, command.commands.values()))

    silent = [
        (command.name, parameter.name)
        for command in walk(rcmon_cli)
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert silent == []
    assert [command.name for command in walk(rcmon_cli) if not command.help] == []


def test_without_a_command_it_says_what_there_is_and_its_version_is_the_project_s(site: Site) -> None:
    said = program([], environment(None, None))
    assert said.status == 2
    assert "sites" in said.out + said.err
    assert program(["--version"], environment(None, None)).out.startswith("rcmon-cli, version 0")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_of_each_shell_is_understood_by_it(run: Run, tmp_path: Path, shell: str) -> None:
    script = run("completion", shell).out
    assert "_RCMON_CLI_COMPLETE" in script
    found = need(shell)
    (tmp_path / "script").write_text(script)
    subprocess.run([found, "-n", str(tmp_path / "script")], check=True, capture_output=True)


def complete(site: Site | None, *words: str, persona: str | None = "reader") -> list[str]:
    """Ask as bash does."""
    asked = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    given = environment(site, persona, _RCMON_CLI_COMPLETE="bash_complete", **asked)
    said = program([], given)
    assert said.err == ""
    return [line.partition(",")[2] for line in said.out.splitlines() if line]


def test_sites_agents_and_commands_are_completed(site: Site) -> None:
    assert complete(site, "rcmon-cli", "fi") == ["findings"]
    assert complete(site, "rcmon-cli", "site", "T1_U") == ["T1_UK_RAL", "T1_US_FNAL"]
    assert complete(site, "rcmon-cli", "agents", "vocms0282") == ["vocms0282"]


def test_a_completion_that_cannot_ask_is_silent() -> None:
    assert complete(None, "rcmon-cli", "site", "T1_") == []


def test_bash_completes_in_earnest(site: Site, tmp_path: Path) -> None:
    """The script that is printed, in a bash that knows the program by its name."""
    bash = need("bash")
    name = tmp_path / "rcmon-cli"
    name.write_text('#!/bin/sh\nexec "$PYTHON" -m rcmon.terminal "$@"\n')
    name.chmod(0o755)
    script = (
        'eval "$(rcmon-cli completion bash)"; COMP_WORDS=(rcmon-cli site T1_DE); COMP_CWORD=2;'
        ' _rcmon_cli_completion rcmon-cli 2> /dev/null; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    given = environment(site, PYTHON=sys.executable)
    given["PATH"] = f"{tmp_path}:{given['PATH']}"
    done = subprocess.run([bash, "-c", script], env=given, capture_output=True, text=True, check=True)
    assert done.stdout == "T1_DE_KIT\n", done.stderr
