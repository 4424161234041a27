"""A clock that jumps, forward and back: a gate that has run for long answers as one made now would."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from rcmon.access.authority.crl import CrlMode
from rcmon.access.authority.rules import RuleFiles, Rules
from rcmon.access.gate import LONGEST, Gate
from rcmon.access.identity import Identity
from rcmon.access.roles import RoleTable
from rcmon.access.trust import Trust
from tests.access import crl_pki, pki
from tests.access.place import ROOT as PLACE_ROOT
from tests.access.place import Place
from tests.access.voms_der import proxy_with
from tests.access.voms_site import ALICE, CA, PRODUCTION, SERVER, Site, signed

HOUR = 3600.0
DAY = 24 * HOUR
ROLES = RoleTable.parse(f"""[roles]
reader = ["dn:/DC=ch/OU=Users/CN=alice", "dn:/DC=ch/CN=late"]
operator = ["fqan:{PRODUCTION}"]""")
CLIENTS = (
    "a user",
    "a proxy of half an hour",
    "a certificate from in two hours on",
    "a proxy with attributes",
)


def make_clients() -> dict[str, pki.Credential]:
    """Make the clients of one test: when it runs is not known while it is read."""
    made = (
        ALICE,
        pki.proxy(ALICE, begins=dt.timedelta(minutes=-5), lasts=dt.timedelta(minutes=30)),
        pki.entity(pki.name("DC=ch", "CN=late"), CA, begins=dt.timedelta(hours=2)),
        proxy_with(ALICE, signed(SERVER)),
    )
    return dict(zip(CLIENTS, made, strict=True))


class Told(Struct, frozen=True):
    """What of a decision others see."""

    roles: frozenset[str]
    refusal: str | None


class Jumping:
    """A service with VOMS and a revocation list of one day, and a clock that the test sets."""

    def __init__(self, path: Path) -> None:
        site = Site(path)
        (path / "lists.pem").write_bytes(crl_pki.pem(crl_pki.crl(CA, lasts=dt.timedelta(days=1))))
        self.files = RuleFiles(
            authorities=path / "ca.pem",
            crl=CrlMode.REQUIRE,
            crl_file=path / "lists.pem",
            vomsdir=site.vomsdir,
        )
        self.now = self.start = pki.now().timestamp()
        self.rules = Rules(self.files)
        self.rules.refresh(self.now, lambda: None)
        self.gate = self.make_gate(self.rules)
        self.clients = make_clients()
        self.identities = {name: self.identified(client) for name, client in self.clients.items()}

    def make_gate(self, rules: Rules) -> Gate:
        return Gate.by_rules(rules, ROLES, proxies=True, clock=lambda: self.now)

    def identified(self, client: pki.Credential) -> Identity:
        """Identify a client without the clock, as a connection does that is older than the jump."""
        return self.gate._identify(tuple(link.der for link in crl_pki.chain(client, CA)))

    def told(self, gate: Gate, name: str) -> Told:
        decision = gate.decide(self.identities[name], self.now)
        return Told(frozenset(decision.roles), decision.refusal)

    def afresh(self, name: str) -> Told:
        return self.told(self.make_gate(self.rules), name)


@pytest.fixture(scope="module")
def jumping(tmp_path_factory: pytest.TempPathFactory) -> Jumping:
    return Jumping(tmp_path_factory.mktemp("jumping"))


WITHIN = st.sampled_from([-400 * DAY, -DAY, -2 * HOUR, -400, 0, 20 * 60, HOUR, 3 * HOUR, 13 * HOUR, 40 * DAY])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=st.lists(WITHIN, min_size=2, max_size=6), client=st.sampled_from(sorted(CLIENTS)))
def test_whatever_the_clock_did_before_makes_no_difference(
    jumping: Jumping, times: list[float], client: str
) -> None:
    for since_start in times:
        jumping.now = jumping.start + since_start
        assert jumping.told(jumping.gate, client) == jumping.afresh(client), f"at {since_start:+.0f} s"


@pytest.mark.parametrize("client", sorted(CLIENTS))
@pytest.mark.parametrize("jump", [-400 * DAY, 400 * DAY], ids=["back", "forward"])
def test_a_clock_that_is_set_right_again_lets_everybody_in_again(
    jumping: Jumping, client: str, jump: float
) -> None:
    """Fails closed while the clock is wrong; a new connection and an old one recover alike."""
    right = jumping.start + (2.5 * HOUR if client.startswith("a certificate") else 0)
    jumping.now = right
    good = jumping.told(jumping.gate, client)
    assert good.roles
    jumping.now = right + jump
    assert jumping.told(jumping.gate, client).refusal in {"expired", "not_yet_valid"}
    jumping.now = right
    assert jumping.told(jumping.gate, client) == good
    assert jumping.gate.admit([link.der for link in crl_pki.chain(jumping.clients[client], CA)])


def test_an_overdue_list_is_overdue_by_the_clock_as_it_is(jumping: Jumping) -> None:
    for since_start, refusal in [
        (0, None),
        (2 * DAY, "crl_expired"),
        (0, None),
        (25 * HOUR, "crl_expired"),
        (0, None),
    ]:
        jumping.now = jumping.start + since_start
        assert jumping.told(jumping.gate, "a user").refusal == refusal


def test_a_list_from_the_future_is_asked_again_and_stays_once_it_was_good(tmp_path: Path) -> None:
    """Its time comes without any change of its file; a clock set back makes no list of a CA's a bad one."""
    site = Jumping(tmp_path)
    lists = site.files.crl_file
    assert lists is not None
    lists.write_bytes(crl_pki.pem(crl_pki.crl(CA, [ALICE], begins=dt.timedelta(hours=1))))
    for since_start, refusal in [(0, None), (2 * HOUR, "revoked"), (0, "revoked"), (-HOUR / 2, "revoked")]:
        site.now = site.start + since_start
        site.rules.refresh(site.now, lambda: None)
        decision = site.gate.decide(site.identities["a user"], site.now)
        assert (decision.refusal == "revoked") is (refusal == "revoked")


def test_no_decision_is_remembered_for_longer_than_a_minute(jumping: Jumping) -> None:
    for client in CLIENTS:
        for since_start in (-DAY, 0, 3 * HOUR, 40 * DAY):
            now = jumping.start + since_start
            decision = jumping.gate.decide(jumping.identities[client], now)
            assert decision.holds(now)
            assert not decision.holds(now + LONGEST)
            assert not decision.holds(now - 0.001)


async def test_a_server_certificate_that_the_clock_refused_is_taken_up_when_its_time_has_come(
    tmp_path: Path,
) -> None:
    """Its file changes no more; a clock that was set back must not keep the old one for good."""
    place, now = Place(tmp_path), [pki.now().timestamp()]
    trust = Trust(place.files, clock=lambda: now[0])
    context = trust.context
    place.use(pki.entity(pki.name("CN=localhost"), PLACE_ROOT, eku=None, begins=dt.timedelta(hours=2)))
    assert await trust.check() == [("tls", False)]
    assert (trust.context is context, "not valid yet" in str(trust.troubles()["tls"])) == (True, True)
    now[0] += 3 * HOUR
    assert await trust.check() == [("tls", True)]
    assert (trust.context is context, trust.troubles()["tls"]) == (False, None)
