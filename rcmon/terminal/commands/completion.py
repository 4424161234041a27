"""`rcmon-cli completion`."""

import click
from click.shell_completion import get_completion_class

from rcmon.terminal.output import Output

PROGRAM = "rcmon-cli"
VARIABLE = "_RCMON_CLI_COMPLETE"
"""Set by a shell that asks what may follow."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes a shell complete commands, options, sites and agents.

    bash: eval "$(rcmon-cli completion bash)" in ~/.bashrc; zsh likewise in ~/.zshrc, behind compinit;
    fish: rcmon-cli completion fish > ~/.config/fish/completions/rcmon-cli.fish
    """
    made = get_completion_class(shell)
    root = click.get_current_context().find_root().command
    if made is not None:
        Output("table").write(made(root, {}, PROGRAM, VARIABLE).source() + "\n")
