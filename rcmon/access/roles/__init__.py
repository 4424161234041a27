"""What somebody may do, and the file that says who."""

from rcmon.access.roles.role import IMPLIED, NO_ROLES, Role
from rcmon.access.roles.table import Grant, RoleTable

__all__ = ["IMPLIED", "NO_ROLES", "Grant", "Role", "RoleTable"]
