"""The README's walk through the demo: each line is run, and its answer holds what the README shows of it."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.texts import README, blocks, section
from tests.integration.running import Service, running, until

HEADING = "## Why is nothing running at my site"


def fenced(language: str) -> list[str]:
    return blocks(section(README.read_text(), HEADING), language)


def steps() -> list[tuple[str, Any]]:
    """Pair each line with what is shown of its answer."""
    _, *asked = fenced("sh")
    lines = [line for block in asked for line in block.splitlines()]
    shown = [one for block in fenced("json") for one in documents(block)]
    assert len(lines) == len(shown) > 3
    return list(zip(lines, shown, strict=True))


def documents(text: str) -> Iterator[Any]:
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        yield value
        rest = rest[end:].strip()


def holds(answer: Any, shown: Any) -> bool:
    """Tell whether an answer holds what is shown: of a list, each of it somewhere; … stands for any text."""
    if isinstance(shown, dict):
        return isinstance(answer, dict) and all(
            key in answer and holds(answer[key], value) for key, value in shown.items()
        )
    if isinstance(shown, list):
        return all(any(holds(one, value) for one in answer) for value in shown)
    if isinstance(shown, str):
        pattern = ".*".join(map(re.escape, shown.split("…")))
        return isinstance(answer, str) and re.fullmatch(pattern, answer, re.DOTALL) is not None
    return bool(answer == shown)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Path]]:
    directory = tmp_path_factory.mktemp("walk")
    with running(directory, "--demo", "--workers", "1", "--cycle-interval", "3") as service:
        until(service.hears_all, "all sources")
        yield service, directory / "state" / "demo"


@pytest.mark.parametrize(("line", "shown"), steps())
def test_a_line_answers_what_is_shown(demo: tuple[Service, Path], line: str, shown: Any) -> None:
    service, directory = demo
    function = fenced("sh")[0].replace("var/demo", str(directory)).replace(":5000", f":{service.port}")
    done = subprocess.run(
        ["bash", "-euc", f"{function}\n{line}"], capture_output=True, text=True, check=True, timeout=60
    )
    assert holds(json.loads(done.stdout), shown), done.stdout


def test_what_is_not_there_does_not_pass() -> None:
    assert holds({"a": [{"b": "x 1 y"}]}, {"a": [{"b": "x … y"}]})
    assert not holds({"a": [{"b": "x 1 z"}]}, {"a": [{"b": "x … y"}]})
    assert not holds({"a": []}, {"a": [{"b": "x"}]})
    assert not holds({}, {"a": None})
