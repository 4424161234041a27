"""VOMS attributes as they are named: Fully Qualified Attribute Names."""

import re

from msgspec import Struct

from rcmon.errors import RcmonError

FQAN = re.compile(
    r"(?P<group>(?:/[\w.-]+)+?)(?:/Role=(?P<role>[\w.-]+))?(?:/Capability=(?P<capability>[\w.-]+))?", re.ASCII
)
NOTHING = "NULL"
"""How VOMS writes that there is no role, or no capability."""


class VomsError(RcmonError):
    """Why VOMS attributes are not verified; the message is for people."""


class Fqan(Struct, frozen=True):
    """One attribute that a proxy carries."""

    value: str
    """As in `/cms/Role=production`; empty where an attribute certificate could not even be read."""
    verified: bool
    """Whether a VOMS server that the site trusts for this VO says so of this user, now."""
    reason: str | None = None
    """Why it is not verified."""
    not_after: float = 0.0
    """When it ends to be verified, seconds since the epoch."""


def normalise(text: str) -> str:
    """Leave out what says nothing: `/cms/Role=NULL/Capability=NULL` is `/cms`. Raises VomsError."""
    parts = FQAN.fullmatch(text)
    if parts is None:
        raise VomsError(f"{text[:80]!r} is not of the form /vo/group/Role=role")
    role = "" if parts["role"] in {None, NOTHING} else f"/Role={parts['role']}"
    capability = "" if parts["capability"] in {None, NOTHING} else f"/Capability={parts['capability']}"
    return parts["group"] + role + capability
