"""Who is let in and what they may do at this moment: identity, revocation, signing policy, VOMS, roles."""

import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from rcmon.access.authority.refusal import ChainRule, Refusal
from rcmon.access.authority.rules import Rules
from rcmon.access.authority.voms.attributes import VomsAttributes
from rcmon.access.authority.voms.fqan import Fqan
from rcmon.access.chain import Chain
from rcmon.access.identity import Identity, identify
from rcmon.access.roles import NO_AGENTS, NO_ROLES, Role, RoleTable
from rcmon.errors import IdentityError

_REMEMBERED = 512
"""Chains whose identity is remembered, at about 10 kB each."""


LONGEST = 60.0
"""Seconds for which a decision holds at most: clocks are set, forward and back, and every rule asks one."""
ASKED_AGAIN = 1.0
"""Seconds for which a refusal holds at most: nobody waits longer for what time caused and time mends."""


class Decision(Struct, frozen=True, kw_only=True):
    """What an identity may do, from `since` until before `until` while the gate's generation stays.

    Both are seconds since the epoch. A clock that was set back is before `since`, and the gate decides anew.
    """

    since: float
    until: float

    roles: frozenset[Role] = NO_ROLES
    agents: frozenset[str] = NO_AGENTS
    """Agents that it may report for by name."""
    refusal: str | None = None
    """A key of REFUSALS when the identity is not accepted (any more); then there are no roles."""
    message: str | None = None
    """Why it is refused, for people."""
    fqans: tuple[Fqan, ...] = ()
    """VOMS attributes; only verified ones grant roles."""

    def may_report_for(self, agent: str) -> bool:
        """Tell whether a report may be that of this agent."""
        return Role.ADMIN in self.roles or (Role.AGENT in self.roles and agent in self.agents)

    def holds(self, now: float) -> bool:
        """Tell whether this still is the decision at `now`, seconds since the epoch."""
        return self.since <= now < self.until


class Gate:
    """Decides about connections and requests; one for each process, used from its event loop only."""

    def __init__(
        self,
        roles: RoleTable,
        *,
        revocation: ChainRule | None = None,
        policies: ChainRule | None = None,
        attributes: VomsAttributes | None = None,
        proxies: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._roles = roles
        self._revocation, self._policies, self._attributes = revocation, policies, attributes
        self._changing = [part for part in (revocation, policies, attributes) if part is not None]
        self._proxies = proxies
        self._clock = clock
        self._replaced = 0
        self._identities: dict[tuple[bytes, ...], Identity] = {}
        self._decisions: dict[Identity, Decision] = {}
        self._decided_at = -1

    @classmethod
    def by_rules(
        cls, rules: Rules, roles: RoleTable, *, proxies: bool, clock: Callable[[], float] = time.time
    ) -> "Gate":
        """Build a gate that decides by the CAs' own rules."""
        return cls(
            roles,
            revocation=rules.lists,
            policies=rules.policies,
            attributes=rules.attributes,
            proxies=proxies,
            clock=clock,
        )

    @property
    def generation(self) -> int:
        """Grows when any decision may have changed; between changes a decision ends by the clock alone."""
        generation = self._replaced
        for part in self._changing:
            generation += part.generation
        return generation

    def replace_roles(self, roles: RoleTable) -> None:
        """Decide by another table from now on."""
        self._roles = roles
        self._replaced += 1

    def admit(self, chain_der: Sequence[bytes]) -> Identity:
        """Tell who a verified chain (DER, leaf first) proves, if that one is let in now.

        Raises IdentityError with a key of REFUSALS.
        """
        identity = self._identify(tuple(chain_der))
        decision = self.decide(identity, self._clock())
        if decision.refusal is not None:
            raise IdentityError(decision.refusal, decision.message or decision.refusal)
        return identity

    def decide(self, identity: Identity, now: float) -> Decision:
        """Tell what an identity may do at `now` (seconds since the epoch): expiry, revocation, roles."""
        generation = self.generation
        if generation != self._decided_at or len(self._decisions) > _REMEMBERED:
            self._decisions, self._decided_at = {}, generation
        decision = self._decisions.get(identity)
        if decision is None or not decision.holds(now):
            decision = self._decisions[identity] = self._judge(identity, now)
        return decision

    def _identify(self, chain_der: tuple[bytes, ...]) -> Identity:
        """Identify a chain, from memory where it was seen before: the longest unseen is forgotten first."""
        identity = self._identities.pop(chain_der, None)
        if identity is None:
            identity = identify(chain_der)
            if identity.proxy_depth and not self._proxies:
                raise IdentityError(
                    "proxies_refused", f"{identity.subject} came with a proxy; none is accepted"
                )
            if len(self._identities) >= _REMEMBERED:
                del self._identities[next(iter(self._identities))]
        self._identities[chain_der] = identity
        return identity

    def _judge(self, identity: Identity, now: float) -> Decision:
        refused = _untimely(identity, now) or self._refusal(identity.chain, now)
        if refused is not None:
            return Decision(
                since=now, until=now + ASKED_AGAIN, refusal=refused.reason, message=refused.message
            )
        fqans = tuple(self._attributes.fqans(identity.chain, now)) if self._attributes else ()
        verified = [fqan for fqan in fqans if fqan.verified]
        rights = self._roles.held_by(identity, [fqan.value for fqan in verified])
        return Decision(
            since=now,
            until=min([now + LONGEST, identity.not_after, *(fqan.not_after for fqan in verified)]),
            roles=rights.roles,
            agents=rights.agents,
            fqans=fqans,
        )

    def _refusal(self, chain: Chain, now: float) -> Refusal | None:
        """Ask the CAs' own rules about a chain."""
        refused = self._policies.refusal(chain, now) if self._policies else None
        if refused is None and self._revocation:
            refused = self._revocation.refusal(chain, now)
        return refused


def _untimely(identity: Identity, now: float) -> Refusal | None:
    """Hold that every certificate of the chain is valid now: the connection may be older than the clock."""
    if now >= identity.not_after:
        return Refusal("expired", f"a certificate of {identity.subject}'s chain has expired")
    if now < identity.not_before:
        return Refusal("not_yet_valid", f"a certificate of {identity.subject}'s chain is not valid yet")
    return None
