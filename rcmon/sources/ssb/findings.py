"""What the site status board can say that it should not."""

from collections.abc import Mapping
from types import MappingProxyType

FINDINGS: Mapping[str, str] = MappingProxyType(
    {
        "ssb_answer_full": "The board's answer holds as many rows as were asked for: older ones are missing.",
        "ssb_cores_all_zero": "The board gives every site zero cores: agents set all slots to the least.",
        "ssb_cores_implausible": "The board's cores are negative, above ten million or no number; unknown.",
        "ssb_cpu_missing": "The board gives a site no core_cpu_intensive: agents then change no slots.",
        "ssb_cpu_zero": "The board gives a site that is enabled zero core_cpu_intensive.",
        "ssb_io_missing": "The board gives a site no core_io_intensive.",
        "ssb_none_enabled": "The board has no site enabled.",
        "ssb_row_unreadable": "Rows of the board have no name or time that can be read; left out.",
        "ssb_site_without_cores": "The board has a site's status but not its cores: its slots stay.",
        "ssb_site_without_status": "The board has a site's cores but not its status: its state stays.",
        "ssb_stale": "What the board says of sites is older than a day and a half; agents no longer see it.",
        "ssb_status_unknown": "The board's status is none of enabled, drain, disabled, test: a state stays.",
        "ssb_text_unreadable": "A text of the board is too long, or none where one belongs.",
        "ssb_time_implausible": "A time of the board is ahead of the clock, before 2000 or no time; unknown.",
    }
)
"""Every kind of finding that reading the board can give, in one sentence each."""
