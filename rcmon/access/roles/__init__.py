"""What somebody may do, and the file that says who."""

from rcmon.access.roles.role import IMPLIED, NO_ROLES, Role
from rcmon.access.roles.table import NO_AGENTS, Grant, Holding, RoleTable

__all__ = ["IMPLIED", "NO_AGENTS", "NO_ROLES", "Grant", "Holding", "Role", "RoleTable"]
