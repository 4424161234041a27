"""The machine's clock is set while a whole service runs: all is right again within three cycles."""

import contextlib
from pathlib import Path

import pytest

from tests.faked import faked
from tests.integration.running import Service, running, until
from tests.servers import need

HOUR = 3600
CYCLES = 3


def number(service: Service) -> int:
    return int((service.json("/api/status")["snapshot"] or {"id": 0})["id"])


def test_all_is_right_again_within_three_cycles(tmp_path: Path) -> None:
    """Forward by an hour and back: whoever may in gets in, and ages are those of the new clock."""
    need("cc")
    clock = tmp_path / "clock"
    clock.write_text("+0")
    with contextlib.ExitStack() as stack:
        with pytest.MonkeyPatch.context() as environment:
            for name, value in faked(clock).items():
                environment.setenv(name, value)
            service = stack.enter_context(
                running(tmp_path, "--demo", "--cycle-interval", "1", "--workers", "2")
            )
        for ahead in (HOUR, 0):
            clock.write_text(f"{ahead:+d}")
            first = number(service)
            until(lambda first=first: number(service) > first + CYCLES, "three cycles")
            status = service.json("/api/status")
            # none is an hour off; the ads' files bear the kernel's time, which nobody set
            polled = [source for source in status["sources"] if source["kind"] != "condor"]
            ages = [status["snapshot"]["age"], *(source["age"] for source in polled)]
            assert all(0 <= age < HOUR / 2 for age in ages), status
        assert "Traceback" not in service.log.read_text()
        assert service.log.read_text().count("the clock was set") == 2
