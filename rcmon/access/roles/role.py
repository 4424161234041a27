"""Roles, and which include which."""

import enum
from collections.abc import Mapping


class Role(enum.StrEnum):
    """What somebody may do."""

    READER = "reader"
    """Any GET."""
    AGENT = "agent"
    """Push its own report."""
    OPERATOR = "operator"
    """Set overrides."""
    ADMIN = "admin"
    """All."""


IMPLIED: Mapping[Role, frozenset[Role]] = {
    Role.READER: frozenset({Role.READER}),
    Role.AGENT: frozenset({Role.AGENT, Role.READER}),
    Role.OPERATOR: frozenset({Role.OPERATOR, Role.READER}),
    Role.ADMIN: frozenset(Role),
}
"""All roles that one role includes."""

NO_ROLES: frozenset[Role] = frozenset()
