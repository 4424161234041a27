"""One service over mutual TLS for the tests of a process, and ways to ask it by `rcmon-cli`."""

import os
from collections.abc import Callable, Iterator

import pytest

from rcmon.terminal.main import main
from tests.browser.site import Site
from tests.terminal.asking import Said, environment
from tests.terminal.grid import make_grid

Run = Callable[..., Said]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve the grid. Who publishes another snapshot publishes the first again."""
    made = Site(tmp_path_factory.mktemp("site") / "rcmon.sqlite", make_grid())
    yield made
    made.end()


@pytest.fixture
def run(site: Site, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process: `run("sites", "T1_*", persona="operator")`."""

    def command(*arguments: str, persona: str | None = "reader", **variables: str) -> Said:
        given = environment(site, persona, **variables)
        for name in os.environ:
            if name not in given:
                monkeypatch.delenv(name)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        status = main(arguments)
        said = capfd.readouterr()
        return Said(status, said.out, said.err)

    return command
