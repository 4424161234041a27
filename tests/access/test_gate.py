"""Who is let in and what they may do now: decided afresh when something changed, remembered otherwise."""

import datetime as dt
import time
from collections.abc import Sequence

import pytest

from rcmon.access import gate as gate_module
from rcmon.access.authority.refusal import NAMESPACE, REVOKED, Refusal
from rcmon.access.authority.voms import Fqan, VomsAttributes
from rcmon.access.chain import Chain
from rcmon.access.der.oids import LIMITED
from rcmon.access.gate import LONGEST, Decision, Gate
from rcmon.access.identity import REFUSALS
from rcmon.access.roles import Role, RoleTable
from rcmon.errors import IdentityError
from tests.access import pki
from tests.access.pki import Credential

ROOT = pki.authority(pki.name("DC=ch", "CN=CA"))
ALICE = pki.entity(pki.name("DC=ch", "CN=alice"), ROOT)
PROXY, LIMITED_PROXY = pki.proxy(ALICE), pki.proxy(ALICE, language=LIMITED)
NOW = time.time()
"""When they are valid; the tests may run for hours after they were made."""
READER = RoleTable.parse('[roles]\nreader = ["dn:/DC=ch/CN=alice"]')
NOBODY = RoleTable()


def chain(credential: Credential) -> list[bytes]:
    return [
        c.public_bytes(pki.Encoding.DER)
        for c in (credential.certificate, *credential.above, ROOT.certificate)
    ]


class Revoking:
    """A rule whose answer the test sets, and which counts how often it was asked."""

    def __init__(self) -> None:
        self.generation = 0
        self.answer: Refusal | None = None
        self.asked = 0

    def refusal(self, chain: Chain, now: float) -> Refusal | None:
        self.asked += 1
        return self.answer

    def change(self, answer: Refusal | None) -> None:
        self.answer = answer
        self.generation += 1


class Attributes(VomsAttributes):
    """VOMS attributes that end when the test says."""

    def __init__(self, *fqans: Fqan) -> None:
        self.changes = 0
        self.given: Sequence[Fqan] = fqans

    @property
    def generation(self) -> int:
        return self.changes

    def fqans(self, chain: Chain, now: float) -> tuple[Fqan, ...]:
        return tuple(Fqan(f.value, f.verified and now < f.not_after, None, f.not_after) for f in self.given)


def test_whoever_has_a_role_has_it_and_whoever_has_none_is_still_somebody() -> None:
    gate = Gate(READER)
    decision = gate.decide(gate.admit(chain(ALICE)), NOW)
    assert decision == Decision(since=NOW, until=NOW + LONGEST, roles=frozenset({Role.READER}))
    stranger = gate.admit(chain(pki.entity(pki.name("CN=stranger"), ROOT)))
    assert gate.decide(stranger, NOW).roles == frozenset()
    assert gate.decide(stranger, NOW).refusal is None


def test_an_identity_ends_with_the_first_certificate_of_its_chain_that_expires() -> None:
    gate = Gate(READER)
    proxy = pki.proxy(ALICE, lasts=dt.timedelta(hours=1))
    identity = gate.admit(chain(proxy))
    end = proxy.certificate.not_valid_after_utc.timestamp()
    assert gate.decide(identity, end - 0.001).roles == {Role.READER}
    decision = gate.decide(identity, end)
    assert (decision.roles, decision.refusal) == (frozenset(), "expired")
    assert "/DC=ch/CN=alice" in (decision.message or "")


def test_an_expired_chain_is_not_admitted() -> None:
    gate = Gate(READER, clock=lambda: NOW + 10**9)
    with pytest.raises(IdentityError) as caught:
        gate.admit(chain(ALICE))
    assert caught.value.reason == "expired"


def test_a_change_of_the_roles_counts_at_once() -> None:
    gate = Gate(READER)
    identity = gate.admit(chain(ALICE))
    assert gate.decide(identity, NOW).roles == {Role.READER}
    before = gate.generation
    gate.replace_roles(NOBODY)
    assert gate.generation > before
    assert gate.decide(identity, NOW).roles == frozenset()


def test_a_revocation_counts_at_once_and_its_end_too() -> None:
    rule = Revoking()
    gate = Gate(READER, revocation=rule)
    identity = gate.admit(chain(ALICE))
    before = gate.generation
    rule.change(Refusal(REVOKED, "alice is on the list"))
    assert gate.generation > before
    decision = gate.decide(identity, NOW)
    assert (decision.roles, decision.refusal, decision.message) == (
        frozenset(),
        REVOKED,
        "alice is on the list",
    )
    with pytest.raises(IdentityError) as caught:
        gate.admit(chain(ALICE))
    assert (caught.value.reason, str(caught.value)) == (REVOKED, "alice is on the list")
    assert caught.value.reason in REFUSALS
    rule.change(None)
    assert gate.decide(identity, NOW).roles == {Role.READER}


class Policing:
    generation = 0

    def refusal(self, chain: Chain, now: float) -> Refusal | None:
        return Refusal(NAMESPACE, "not hers to sign") if len(chain) > 2 else None


def test_a_signing_policy_is_asked_as_well() -> None:
    gate = Gate(READER, policies=Policing(), revocation=Revoking())
    gate.admit(chain(ALICE))
    with pytest.raises(IdentityError, match="not hers to sign"):
        gate.admit(chain(pki.proxy(ALICE)))


def test_nothing_is_asked_again_while_nothing_changed() -> None:
    rule = Revoking()
    gate = Gate(READER, revocation=rule, clock=lambda: NOW)
    identity = gate.admit(chain(ALICE))
    for _ in range(5):
        assert gate.admit(chain(ALICE)) is identity
        gate.decide(identity, NOW)
    assert rule.asked == 1


def test_another_chain_of_the_same_subject_is_another_identity() -> None:
    gate = Gate(READER)
    again = pki.entity(pki.name("DC=ch", "CN=alice"), ROOT)
    assert gate.admit(chain(again)) is not gate.admit(chain(ALICE))
    assert gate.admit(chain(pki.proxy(ALICE))).subject == gate.admit(chain(ALICE)).subject


def test_memory_is_bounded_and_keeps_what_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "_REMEMBERED", 3)
    gate = Gate(READER)
    alice = gate.admit(chain(ALICE))
    others = [chain(pki.entity(pki.name(f"CN={n}"), ROOT)) for n in range(5)]
    first = gate.admit(others[0])
    for other in others[1:]:
        gate.admit(other)
        assert gate.admit(chain(ALICE)) is alice
    assert gate.admit(others[0]) is not first


def test_proxies_are_refused_where_they_are_not_accepted() -> None:
    gate = Gate(READER, proxies=False)
    with pytest.raises(IdentityError) as caught:
        gate.admit(chain(pki.proxy(ALICE)))
    assert caught.value.reason == "proxies_refused"
    assert gate.admit(chain(ALICE)).proxy_depth == 0


@pytest.mark.parametrize(("nothing"), [(), []])
def test_no_chain_is_nobody(nothing: Sequence[bytes]) -> None:
    with pytest.raises(IdentityError) as caught:
        Gate(READER).admit(nothing)
    assert caught.value.reason == "no_chain"


def test_verified_attributes_grant_roles_until_their_voucher_expires() -> None:
    table = RoleTable.parse(
        '[roles]\noperator = ["fqan:/cms/Role=production"]\nadmin = ["fqan:/cms/Role=admin"]'
    )
    attributes = Attributes(
        Fqan("/cms/Role=production", True, None, NOW + 30), Fqan("/cms/Role=admin", False, None, NOW + 30)
    )
    gate = Gate(table, attributes=attributes)
    identity = gate.admit(chain(PROXY))
    decision = gate.decide(identity, NOW)
    assert (decision.roles, decision.until) == ({Role.OPERATOR, Role.READER}, NOW + 30)
    assert [(f.value, f.verified) for f in decision.fqans] == [
        ("/cms/Role=production", True),
        ("/cms/Role=admin", False),
    ]
    later = gate.decide(identity, NOW + 30)
    assert (later.roles, later.refusal) == (frozenset(), None)
    attributes.changes += 1
    attributes.given = [Fqan("/cms/Role=admin", True, None, NOW + 60)]
    assert gate.decide(identity, NOW).roles == set(Role)


def test_a_limited_proxy_reads_and_nothing_else_whatever_its_attributes() -> None:
    table = RoleTable.parse('[roles]\nadmin = ["fqan:/cms", "dn:/DC=ch/CN=alice"]')
    gate = Gate(table, attributes=Attributes(Fqan("/cms", True, None, NOW + 60)))
    identity = gate.admit(chain(LIMITED_PROXY))
    assert gate.decide(identity, NOW).roles == {Role.READER}
