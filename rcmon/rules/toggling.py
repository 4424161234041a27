"""When an override that lasts until what would hold by itself agrees has come to its end. Pure."""

from collections.abc import Iterator

from rcmon.model import Override, SiteExpected, Snapshot


def agrees(override: Override, snapshot: Snapshot) -> bool:
    """Tell whether everything that an override sets would be so without it, in each agent that it is for.

    Not where that is not known of one of them, follows from what the site status board said earlier - it does
    not answer now -, or is what the guard does not let pass: then something else holds.
    """
    if _board_is_stale(snapshot) or _is_quarantined(override.site, snapshot):
        return False
    found = list(_expected(override, snapshot))
    return bool(found) and all(one is not None and _same(override, one) for one in found)


def _board_is_stale(snapshot: Snapshot) -> bool:
    stale = {state.name for state in snapshot.sources if state.stale}
    return any(said.sites is not None and source in stale for source, said in snapshot.given.items())


def _is_quarantined(site: str, snapshot: Snapshot) -> bool:
    return any(
        one.whole or any(proposal.site == site for proposal in one.proposals)
        for one in snapshot.steered.quarantines
    )


def _expected(override: Override, snapshot: Snapshot) -> Iterator[SiteExpected | None]:
    """Give what each agent's updater makes of the site; None: that is not known."""
    for name, agent in snapshot.agents.items():
        if override.agent in (None, name) and override.site in agent.sites:
            known = snapshot.expected.get(name)
            yield None if known is None else known.sites.get(override.site)


def _same(override: Override, expected: SiteExpected) -> bool:
    return (
        override.state in (None, expected.state)
        and override.running in (None, expected.running_slots)
        and override.pending in (None, expected.pending_slots)
    )
