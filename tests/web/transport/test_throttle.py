"""Log lines of a client's making are few, whatever it does; the others are told by their number."""

import logging
import re
from pathlib import Path

import pytest

from rcmon.web.transport import throttle
from tests.web.serving import Serving, serving


def test_every_logger_of_the_web_side_is_throttled() -> None:
    """Whoever adds a module there logs about a connection or a request, but for these."""
    web = Path(throttle.__file__).parents[1]
    for path in set(web.rglob("*.py")) - {
        web / "board.py",
        web / "recording.py",
        web / "events" / "hub.py",
        web / "events" / "lookout.py",
        web / "transport" / "throttle.py",
    }:
        module = ".".join(path.relative_to(web.parents[1]).with_suffix("").parts)
        for name in re.findall(r"getLogger\(([^)]*)\)", path.read_text()):
            assert (module if name == "__name__" else name.strip('"')) in throttle.LOGGERS, path


@pytest.mark.parametrize("short", [True, False])
async def test_a_failing_resource_does_not_fill_the_log(
    short: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        for _ in range(50):
            assert (await caller.ask("/failing")).status == 500
    first, last = caplog.records
    assert first.exc_info
    assert last.getMessage().startswith("49 more lines like this one are left out: GET ")


def test_lines_of_a_kind_are_few_and_the_others_are_told(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    limit = throttle.Throttle(lambda: now[0])
    limit.install()
    try:
        log = logging.getLogger(throttle.LOGGERS[0])
        for number in range(12):
            log.warning("odd %d", number)
            log.warning("strange %d", number)
        limit.tick()
        assert caplog.messages == [f"{what} {n}" for n in range(5) for what in ("odd", "strange")]
        caplog.clear()
        now[0] = 10.0
        limit.tick()
        assert sorted(caplog.messages) == [
            "7 more lines like this one are left out: odd 5",
            "7 more lines like this one are left out: strange 5",
        ]
        caplog.clear()
        log.warning("odd again")
    finally:
        limit.remove()
    assert caplog.messages == ["odd again"]


def test_of_tracebacks_one_is_enough(caplog: pytest.LogCaptureFixture) -> None:
    limit = throttle.Throttle()
    limit.install()
    log = logging.getLogger("asyncio")
    for error in (ValueError("a"), ValueError("b"), KeyError("c")):
        log.error("failed", exc_info=error)
    limit.remove()
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["a", "'c'"]
    assert caplog.messages[-1] == "1 more lines like this one are left out: failed"
    caplog.clear()
    for _ in range(20):
        log.error("failed", exc_info=ValueError())
    assert len(caplog.records) == 20  # removed, it filters nothing


def test_reasons_do_not_hide_each_other(caplog: pytest.LogCaptureFixture) -> None:
    """A flood of scans must not hide why an agent is refused."""
    caplog.set_level("INFO")
    limit = throttle.Throttle()
    limit.install()
    try:
        for number in range(100):
            logging.getLogger("rcmon.web.transport.server").info(
                "refused", extra={"kind": "protocol" if number < 99 else "expired"}
            )
        assert len(caplog.records) == 6
    finally:
        limit.remove()


async def test_a_server_filters_while_it_accepts() -> None:
    one = Serving()
    assert any(isinstance(found, throttle.Throttle) for found in logging.getLogger("asyncio").filters)
    await one.end()
    assert not any(isinstance(found, throttle.Throttle) for found in logging.getLogger("asyncio").filters)
