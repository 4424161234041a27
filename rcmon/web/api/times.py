"""Times that are asked for."""

from rcmon.timestamps import moment
from rcmon.web.answers.problems import Problem

_ALLOWED = "a time with its zone such as 2026-01-01T12:00:00Z, or seconds since the epoch"


def read_time(name: str, text: str) -> float | None:
    """Read a time, seconds since the epoch; None where none is given. Raises Problem 400."""
    if not text:
        return None
    time = moment(text)
    if time is None:
        detail = f"Parameter {name!r} has the value {text!r}; allowed is {_ALLOWED}."
        raise Problem(400, detail, parameter=name, value=text, allowed=_ALLOWED)
    return time
