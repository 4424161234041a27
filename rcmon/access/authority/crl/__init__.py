"""Certificate revocation lists: read, verified, kept fresh, asked."""

from rcmon.access.authority.crl.lists import CrlStatus, RevocationLists
from rcmon.access.authority.crl.table import CrlMode

__all__ = ["CrlMode", "CrlStatus", "RevocationLists"]
