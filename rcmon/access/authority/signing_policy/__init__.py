"""Globus signing policies: which subjects each CA may sign."""

from rcmon.access.authority.signing_policy.parse import PolicyError, SigningPolicy, parse_signing_policy
from rcmon.access.authority.signing_policy.policies import SigningPolicies

__all__ = ["PolicyError", "SigningPolicies", "SigningPolicy", "parse_signing_policy"]
