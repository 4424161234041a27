"""Certificate revocation lists: read, verified, kept fresh, asked."""

from rcmon.access.crl.lists import CrlStatus, RevocationLists
from rcmon.access.crl.table import CrlMode

__all__ = ["CrlMode", "CrlStatus", "RevocationLists"]
