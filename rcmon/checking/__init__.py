"""What a configuration names: read for the start, or examined as a whole for `--check-config`."""

from rcmon.checking.examination import examine
from rcmon.checking.places import HEALTH_SOCKET, web_processes
from rcmon.checking.report import Report
from rcmon.checking.start import Checked, check

__all__ = ["HEALTH_SOCKET", "Checked", "Report", "check", "examine", "web_processes"]
