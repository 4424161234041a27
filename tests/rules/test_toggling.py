"""A toggle ends when all that it sets would be so without it, and not when that is only not known."""

from typing import Any

import pytest
from msgspec import structs

from rcmon.model import (
    Agent,
    AgentExpected,
    AgentSite,
    Override,
    SiteExpected,
    Snapshot,
    SourceState,
    Upstream,
)
from rcmon.model.steering import Proposal, Quarantine, Steered, Word
from rcmon.rules.toggling import agrees

SITE = "T1_XX_A"
BOARD = SourceState("board", "ssb", True, False, 1.0, 1.0, None)


def toggle(**values: Any) -> Override:
    given: dict[str, Any] = {"agent": None, "state": "Draining", "running": None, "pending": None} | values
    return Override(
        site=SITE, mode="toggle", until=None, reason="r", subject="/CN=o", made=1.0, version=1, **given
    )


def snapshot(stale: bool = False, **expected: SiteExpected | None) -> Snapshot:
    site = AgentSite(SITE, "Normal", None, SITE, None, 10, 10)
    return Snapshot(
        1.0,
        1.0,
        60.0,
        sources=(structs.replace(BOARD, stale=stale),),
        agents={name: Agent(name, 1.0, {SITE: site}) for name in expected},
        given={"board": Upstream(sites={})},
        expected={
            name: AgentExpected(sites={} if one is None else {SITE: one}) for name, one in expected.items()
        },
    )


DRAINS, NORMAL = SiteExpected("Draining", "Draining", 10, 5), SiteExpected("Normal", "Normal", 10, 5)


@pytest.mark.parametrize(
    ("override", "grid", "ends"),
    [
        (toggle(), snapshot(a=DRAINS, b=DRAINS), True),
        (toggle(), snapshot(a=DRAINS, b=NORMAL), False),
        (toggle(agent="a"), snapshot(a=DRAINS, b=NORMAL), True),
        (toggle(agent="b"), snapshot(a=DRAINS, b=NORMAL), False),
        (toggle(running=10, pending=5), snapshot(a=DRAINS), True),
        (toggle(running=10, pending=6), snapshot(a=DRAINS), False),
        (toggle(state=None, running=10), snapshot(a=NORMAL), True),
        (toggle(), snapshot(a=DRAINS, b=None), False),
        (toggle(), snapshot(a=SiteExpected()), False),
        (toggle(), snapshot(), False),
        (toggle(agent="c"), snapshot(a=DRAINS), False),
        (toggle(), snapshot(stale=True, a=DRAINS), False),
    ],
)
def test_when_a_toggle_ends(override: Override, grid: Snapshot, ends: bool) -> None:
    assert agrees(override, grid) is ends


@pytest.mark.parametrize(
    ("whole", "site", "ends"), [(False, SITE, False), (False, "T1_XX_B", True), (True, "T1_XX_B", False)]
)
def test_what_the_guard_does_not_let_pass_ends_no_toggle(whole: bool, site: str, ends: bool) -> None:
    """A broken board that agrees with everything would: then the last good state would come back."""
    held = Quarantine("q", "leaving", "m", 1.0, whole, (Proposal(site, None, Word("drain", 10, 10)),))
    grid = structs.replace(snapshot(a=DRAINS), steered=Steered((held,)))
    assert agrees(toggle(), grid) is ends
