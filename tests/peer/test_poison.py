"""Whatever rcmon and its bridge answer, an unmodified agent writes only what a valid document asks for."""

from random import Random

from msgspec import structs

from tests.peer.asking import ask
from tests.peer.poison import Act, Case, generated, poisoned
from tests.peer.poisons import ANSWERS, HANGS
from tests.peer.test_updater import as_ours

CASES = 2000


def writes(cases: list[Case], *, bridged: bool = True) -> list[set[tuple[object, ...]]]:
    """Let the unmodified updater do a round for each case, in one process."""
    with poisoned(cases) as where:
        rounds = []
        for number, case in enumerate(cases):
            url = (where.killed if case.killed else where.bridge) if bridged else where.upstream
            rounds.append(case.asked(number, url, bridged=bridged))
        answers = ask("updater", {"url": "", "rounds": rounds}, within=280)
        assert not bridged or where.killing.cut >= sum(case.killed for case in cases) / 3
    return [
        {found for write in written if (found := as_ours(write, case.agent))}
        for case, written in zip(cases, answers, strict=True)
    ]


def harmed(cases: list[Case], written: list[set[tuple[object, ...]]]) -> list[int]:
    """Number the cases in which something was written that no one document asks for."""
    return [
        number
        for number, (case, found) in enumerate(zip(cases, written, strict=True))
        if not any(found <= asked for asked in case.allowed())
    ]


def ways(case: Case) -> set[str]:
    return {act.answer for act in case.acts}


def test_nothing_is_changed_that_no_valid_document_asks_for() -> None:
    rng = Random(11)
    cases = [generated(rng) for _ in range(CASES)]
    written = writes(cases)
    assert harmed(cases, written) == []
    # the cases come far enough to mean something
    assert sum(map(bool, written)) > CASES / 4
    assert set.union(*map(ways, cases)) == set(ANSWERS)


def test_what_is_well_is_written_whole() -> None:
    rng = Random(12)
    cases = []
    for _ in range(100):
        case = generated(rng)
        act = Act("good", len(case.documents) - 1, "")
        cases.append(structs.replace(case, acts=(act, act, act), killed=False))
    written = writes(cases)
    assert written == [case.allowed()[-1] for case in cases]
    assert sum(map(len, written)) > 500


def test_without_the_bridge_the_same_does_harm() -> None:
    """So that the cases are such as could; but for those that an agent waits for, minutes each."""
    rng, waited_for = Random(11), {HANGS, "another status"}
    cases = [case for case in (generated(rng) for _ in range(150)) if not waited_for & ways(case)]
    assert len(harmed(cases, writes(cases, bridged=False))) > 10
