"""The documentation says what the code does: every option, resource, metric and finding, and only those."""

import re
from collections.abc import Iterator

import click
import pytest

from rcmon.terminal.main import rcmon_cli
from tests.docs.tables import filled, marks, tables
from tests.docs.texts import FILES, TOP

TEXT = "\n".join(path.read_text() for path in FILES)


@pytest.mark.parametrize("name", tables())
def test_a_table_is_what_the_code_says_and_stands_once(name):
    begin, end = marks(name)
    assert (TEXT.count(begin), TEXT.count(end)) == (1, 1)
    assert f"{begin}\n{tables()[name]}\n{end}" in TEXT, "python -m tests.docs.tables writes the tables anew"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_else_stands_between_the_marks(path):
    assert filled(path.read_text()) == path.read_text()


def test_every_option_that_is_named_exists():
    listed = tables()["options"] + tables()["bridge"]
    of_terminal = {name for command in every(rcmon_cli) for option in command.params for name in option.opts}
    known = (
        of_terminal
        | set(re.findall(r"`(--[a-z-]+)`", listed))
        | {"--config", "--version", "--help", "--check"}
    )
    own = re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL))
    of_curl = {"--tls-max", "--cert", "--key", "--cacert", "--capath", "--compare", "--json", "--url"}
    of_pytest = {"--randomly-seed"}
    of_pip = {"--require-hashes", "--no-deps"}
    assert set(own) <= known | of_curl | of_pytest | of_pip


def every(command: click.Command) -> Iterator[click.Command]:
    yield command
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        yield from every(inner)


def test_every_test_and_folder_that_is_named_exists():
    """What may happen is a promise with a test behind it; a room that is named is there."""
    names = {path.name for path in TOP.glob("tests/**/*.py")}
    assert set(re.findall(r"`(?:[\w/]+/)?(test_\w+\.py)`", TEXT)) - names == set()
    assert [
        path
        for path in re.findall(r"`(?:tests|rcmon|conf)/[a-z0-9_./]*`", TEXT)
        if not (TOP / path.strip("`")).exists()
    ] == []
