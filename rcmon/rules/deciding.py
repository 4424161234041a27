"""Whether what an operator wants of an override is new, done already, or meant for another state. Pure."""

from msgspec import structs

from rcmon.model import OVERRIDE_DAY, Override

_OF_ITS_MAKING = ("made", "version", "until")


def is_done(held: Override | None, wanted: Override, *, default_end: bool, seen: bool) -> bool:
    """Tell whether an override is already what somebody wants: asked again, it stays as it is.

    `default_end`: no end was named. Then who has `seen` the override that is there wants it for another day;
    who has not asks again for what they asked for before, since the answer was lost.
    """
    if held is None:
        return False
    same = all(
        getattr(held, name) == getattr(wanted, name)
        for name in Override.__struct_fields__
        if name not in _OF_ITS_MAKING
    )
    if not same:
        return False
    if default_end and wanted.until is not None:
        return not seen and held.until == held.made + OVERRIDE_DAY
    return held.until == wanted.until


def restored(before: Override | None, number: int, subject: str, now: float) -> Override | None:
    """Make what was before anew, as of who restores it now."""
    if before is None:
        return None
    return structs.replace(before, version=number, made=now, subject=subject)
