"""The control file: how far agents are steered."""

from pathlib import Path

from rcmon.checking.report import Report
from rcmon.config import Config
from rcmon.files.stamp import NOWHERE, stamp_of
from rcmon.model.steering import MODES
from rcmon.steering.settings import read_control


def examine_control(config: Config, report: Report) -> None:
    """Examine it; that it is not there is no error."""
    path = Path(config.control_file)
    with report.refusing():
        settings = read_control(path)
        if stamp_of(path) == NOWHERE:
            report.tell(f"control: {path} is not there: no agent is steered")
            return
        named = [
            f"{mode}: {', '.join(names)}"
            for mode in MODES
            if (names := [name for name in sorted(settings.agents) if settings.mode_of(name) == mode])
        ]
        report.tell("; ".join([f"control: mode {settings.mode}", *named]))
