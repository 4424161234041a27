"""The peer that rules are held against is the published WMAgent; asking it is bounded and fails loudly."""

import subprocess

import pytest

from tests.peer import asking
from tests.peer.asking import ask


def pinned() -> str:
    lines = asking.REQUIREMENTS.read_text().splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith("wmagent=="))


def test_the_peer_is_the_published_wmagent() -> None:
    peer = ask("unmodified", None)
    assert peer["version"] == pinned()
    assert peer["files"] > 500
    assert peer["changed"] == []


@pytest.fixture
def no_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RCMON_TEST_PEER", "/nonexistent/python")


@pytest.mark.usefixtures("no_peer")
def test_without_the_peer_a_test_skips_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RCMON_TEST_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="there is no /nonexistent/python"):
        ask("unmodified", None)


@pytest.mark.usefixtures("no_peer")
def test_without_the_peer_a_test_fails_where_all_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RCMON_TEST_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="there is no /nonexistent/python"):
        ask("unmodified", None)


def test_a_program_that_fails_fails_the_test_with_its_words() -> None:
    with pytest.raises(pytest.fail.Exception, match="can't open file"):
        ask("no_such_program", None)


def test_an_answer_that_takes_too_long_ends() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        ask("unmodified", None, within=0.001)
