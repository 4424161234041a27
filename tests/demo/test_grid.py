import re

import pytest

from rcmon.demo.grid import TASK_PRIORITIES, Slots, thresholds
from rcmon.demo.sites import SITES


@pytest.mark.parametrize(
    ("cpu", "io", "site", "production", "merge"),
    [
        # what WMCore's own updater made of such input with seven agents
        (22000, 11000, Slots(22000, 1571), Slots(22000, 1414), Slots(11000, 707)),
        (20000, 10000, Slots(20000, 1428), Slots(20000, 1285), Slots(10000, 642)),
        (10, 0, Slots(50, 50), Slots(50, 50), Slots(25, 25)),
    ],
)
def test_thresholds_are_wmcores(cpu: int, io: int, site: Slots, production: Slots, merge: Slots) -> None:
    made = thresholds(cpu, io, agents=7)
    assert made.site == site
    assert made.tasks == {
        task: production if task in ("Production", "Processing") else merge for task in TASK_PRIORITIES
    }


def test_sites_look_real() -> None:
    assert 115 <= len(SITES) <= 130
    assert len({site.name for site in SITES}) == len(SITES)
    for site in SITES:
        assert re.fullmatch(r"T[0-3]_[A-Z]{2}_[A-Za-z0-9_]+", site.name)
        assert site.pnns
        assert 0 <= site.io < site.cpu
    assert {site.name[:2] for site in SITES} == {"T0", "T1", "T2", "T3"}
