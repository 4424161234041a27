"""What the site status board can say that it should not."""

from collections.abc import Mapping
from types import MappingProxyType

from rcmon.model import Meaning

FINDINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        "ssb_answer_full": Meaning(
            "The board's answer holds as many rows as were asked for: older ones are missing.", "warning"
        ),
        "ssb_cores_all_zero": Meaning(
            "The board gives every site zero cores: agents set all slots to the least.", "critical"
        ),
        "ssb_cores_implausible": Meaning(
            "The board's cores are negative, above ten million or no number; unknown.", "warning"
        ),
        "ssb_cpu_missing": Meaning(
            "The board gives a site no core_cpu_intensive: agents then change no slots.", "warning"
        ),
        "ssb_cpu_zero": Meaning("The board gives a site that is enabled zero core_cpu_intensive.", "warning"),
        "ssb_io_missing": Meaning("The board gives a site no core_io_intensive."),
        "ssb_none_enabled": Meaning("The board has no site enabled.", "critical"),
        "ssb_row_unreadable": Meaning(
            "Rows of the board have no name or time that can be read; left out.", "warning"
        ),
        "ssb_site_without_cores": Meaning(
            "The board has a site's status but not its cores: its slots stay.", "warning"
        ),
        "ssb_site_without_status": Meaning(
            "The board has a site's cores but not its status: its state stays.", "warning"
        ),
        "ssb_stale": Meaning(
            "What the board says of sites is older than a day and a half; agents no longer see it.",
            "critical",
        ),
        "ssb_status_unknown": Meaning(
            "The board's status is none of enabled, drain, disabled, test: a state stays.", "warning"
        ),
        "ssb_text_unreadable": Meaning("A text of the board is too long, or none where one belongs."),
        "ssb_time_implausible": Meaning(
            "A time of the board is ahead of the clock, before 2000 or no time; unknown."
        ),
    }
)
"""Every kind of finding that reading the board can give, in one sentence each."""
