"""The guard, whatever upstream says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rcmon.model import SiteStatus
from rcmon.model.steering import STATUSES, Effective, GuardSettings, Quarantine, Word
from rcmon.rules.guarding import CAUSES, UpstreamSeen, allowed, judge

GUARD = GuardSettings()
SITES = tuple(f"T2_XX_Site{number:02}" for number in range(24))
NOW = 1_000_000.0
GOOD = Effective({name: Word("enabled", 1000, 300) for name in SITES}, NOW - 60)

_CORES = st.none() | st.sampled_from([0, 1, 300, 499, 500, 1000, 2000])
_TIMES = st.none() | st.sampled_from([NOW - 200_000, NOW - 90_000, NOW - 900, NOW - 60, NOW + 60])
STATUS = st.builds(
    SiteStatus,
    status=st.none() | st.sampled_from([*STATUSES, "enabled", "enabled", "unknown"]),
    reason=st.none(),
    status_time=_TIMES,
    manual=st.none(),
    cpu=_CORES,
    io=_CORES,
    capacity_time=_TIMES,
)
_NAMES = st.sampled_from([*SITES, "T2_XX_New", "no name\n"])
_ONE_WORD = st.sampled_from(["drain", "disabled", "test"])
_ROW_OLD = NOW - 60


def _sound(changes, gone, closed, word):
    """Make a document that has all sites, but for what is told."""
    sites = {name: SiteStatus("enabled", None, _ROW_OLD, None, 1000, 300, _ROW_OLD) for name in SITES}
    sites |= {name: SiteStatus(word, None, _ROW_OLD, None, 1000, 300, _ROW_OLD) for name in closed}
    return {name: one for name, one in {**sites, **changes}.items() if name not in gone}


_SOUND = st.builds(
    _sound,
    st.dictionaries(_NAMES, STATUS, max_size=3),
    st.sets(_NAMES, max_size=3),
    st.sets(st.sampled_from(SITES)),
    _ONE_WORD,
)
SAID = st.none() | _SOUND | st.dictionaries(_NAMES, STATUS)


def said(status: str = "enabled", cpu: int | None = 1000, *, io: int | None = 300) -> SiteStatus:
    return SiteStatus(status, None, NOW - 60, None, cpu, io, NOW - 60)


@given(st.lists(SAID, min_size=1, max_size=6))
@settings(max_examples=300)
def test_whatever_upstream_says_few_sites_change_for_the_worse(documents):
    """Within one window, whatever comes in whatever order; no site is lost, and no number becomes unknown."""
    effective, standing = GOOD, ()
    for number, sites in enumerate(documents):
        judgement = judge(effective, UpstreamSeen(sites, NOW), standing, NOW + 60 * number, GUARD)
        effective, standing = judgement.effective, judgement.standing
    assert set(SITES) <= set(effective.good)
    most = allowed(len(SITES), GUARD)
    left = [name for name in SITES if effective.good[name].status != "enabled"]
    assert len(left) <= most + 1, left  # a new site may raise the number by a tenth
    lost = [name for name in SITES if _lost(effective.good[name])]
    assert len(lost) <= most + 1, lost
    for name in SITES:
        word = effective.good[name]
        assert word.status in STATUSES
        assert word.cpu
        assert word.io


def _lost(word: Word) -> bool:
    return 2 * (word.cpu or 0) < 1000 or 2 * (word.io or 0) < 300


@given(SAID)
def test_the_same_once_more_changes_nothing(sites):
    once = judge(GOOD, UpstreamSeen(sites, NOW), (), NOW, GUARD)
    again = judge(once.effective, UpstreamSeen(sites, NOW), once.standing, NOW, GUARD)
    assert again.effective.good == once.effective.good
    assert [one.id for one in again.standing] == [one.id for one in once.standing]
    assert not again.ended


@given(SAID)
def test_what_is_held_names_every_site_that_it_would_change(sites):
    judgement = judge(GOOD, UpstreamSeen(sites, NOW), (), NOW, GUARD)
    for one in judgement.standing:
        assert one.cause in CAUSES
        for proposal in one.proposals:
            assert proposal.before == GOOD.good.get(proposal.site)
            assert proposal.after != proposal.before
            assert judgement.effective.good.get(proposal.site) == proposal.before
    assert len({one.cause for one in judgement.standing}) == len(judgement.standing)


@given(SAID)
def test_a_release_makes_exactly_that_effective(sites):
    held = judge(GOOD, UpstreamSeen(sites, NOW), (), NOW, GUARD)
    released = tuple(released_of(one) for one in held.standing)
    after = judge(held.effective, UpstreamSeen(None, None), released, NOW, GUARD)
    wanted = {proposal.site: proposal.after for one in released for proposal in one.proposals}
    assert after.effective.good == {**held.effective.good, **wanted}
    assert after.ended == released


def released_of(one: Quarantine) -> Quarantine:
    return Quarantine(
        one.id, one.cause, one.message, one.opened, one.whole, one.proposals, "released", NOW, "/CN=x", "r"
    )


def test_nobody_says_anything_changes_nothing():
    judgement = judge(GOOD, UpstreamSeen(None, None), (), NOW, GUARD)
    assert judgement.effective == GOOD


def test_a_first_document_is_taken_where_it_is_sane():
    sites = {name: said() for name in SITES}
    assert len(judge(Effective(), UpstreamSeen(sites, NOW), (), NOW, GUARD).effective.good) == len(SITES)


def test_a_first_document_that_is_not_sane_waits():
    for word, why in (
        (said("drain"), "none of 24 sites is enabled"),
        (said(cpu=0), "no cores for computing at 24 sites"),
        (said(io=0), "no cores for reading at 24 sites"),
        (said(cpu=0, io=0), "no cores for computing and reading at 24 sites"),
    ):
        judgement = judge(Effective(), UpstreamSeen(dict.fromkeys(SITES, word), NOW), (), NOW, GUARD)
        assert [one.cause for one in judgement.standing] == ["implausible"]
        assert judgement.standing[0].message.endswith(why)
        assert judgement.effective.confirmed is None


@pytest.mark.parametrize("kind", ["cpu", "io"])
@pytest.mark.parametrize(
    ("cores", "sites", "cause"),
    [
        (None, SITES, "no_cores"),
        (0, SITES, "no_cores"),
        (1, SITES, "losing"),
        (None, SITES[:1], "no_cores"),
        (0, SITES[:1], "no_cores"),
        (1, SITES[:3], "losing"),
        (1, SITES[:2], None),
    ],
)
def test_cores_of_either_kind_are_not_lost_at_once(kind, cores, sites, cause):
    """Agents make slots of both: of those for reading the ones for merging, logs and cleaning."""
    document = {name: said(**({kind: cores} if name in sites else {})) for name in SITES}
    judgement = judge(GOOD, UpstreamSeen(document, NOW), (), NOW, GUARD)
    assert [one.cause for one in judgement.standing] == ([] if cause is None else [cause])
    changed = {name for name in SITES if judgement.effective.good[name] != GOOD.good[name]}
    assert changed == (set(sites) if cause is None else set())


@pytest.mark.parametrize("io", [None, 0])
def test_a_site_that_never_had_cores_for_reading_is_nothing_new(io):
    good = Effective({**GOOD.good, SITES[0]: Word("enabled", 1000, 0)}, NOW - 60)
    document = {name: said(io=io if name == SITES[0] else 300) for name in SITES}
    judgement = judge(good, UpstreamSeen(document, NOW), (), NOW, GUARD)
    assert (judgement.standing, judgement.effective.good) == ((), good.good)


def test_where_what_was_effective_is_lost_a_first_document_waits_for_an_operator():
    sites = {name: said() for name in SITES}
    judgement = judge(Effective(), UpstreamSeen(sites, NOW), (), NOW, GUARD, harmed=True)
    assert [one.cause for one in judgement.standing] == ["first"]
    released = tuple(map(released_of, judgement.standing))
    after = judge(judgement.effective, UpstreamSeen(sites, NOW), released, NOW, GUARD, harmed=True)
    assert set(after.effective.good) == set(SITES)
    assert after.effective.confirmed == NOW


def test_an_old_document_that_changes_nothing_confirms_nothing():
    old = {name: SiteStatus("enabled", None, NOW - 200_000, None, 1000, 300, NOW - 200_000) for name in SITES}
    assert judge(GOOD, UpstreamSeen(old, NOW), (), NOW, GUARD).effective.confirmed == NOW - 60
    new = {name: said() for name in SITES}
    assert judge(GOOD, UpstreamSeen(new, NOW), (), NOW, GUARD).effective.confirmed == NOW
