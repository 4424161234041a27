"""What is wrong with a body of another shape, and what would be right: as the types of the shape say it."""

import re
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct, ValidationError

from rcmon.errors import UNREADABLE
from rcmon.web.api.query import words

_AT = re.compile(r"(?P<what>.*) - at `\$(?P<path>.*)`", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>\w+)|\[(?P<index>\d+)\]")
_OF_KEYS = "Object "
"""How msgspec begins to tell of a key that is missing or unknown: the key is named, not a value."""
_SHOWN = 200


def misfit(error: ValidationError, content: bytes, shape: object) -> str:
    """Say which value is wrong, and what is allowed there; msgspec alone would tell neither."""
    try:
        return _told(error, content, shape)
    except (LookupError, TypeError):  # a place that is told in a way of its own, such as in a mapping
        return str(error)


def _told(error: ValidationError, content: bytes, shape: object) -> str:
    found = _AT.fullmatch(str(error))
    what, path = (found["what"], found["path"]) if found else (str(error), "")
    steps = [step["name"] or int(step["index"]) for step in _STEP.finditer(path)]
    allowed = allowed_at(shape, steps)
    name = path.removeprefix(".")
    if what.startswith(_OF_KEYS) or not name:
        return f"{what}{f' at {name!r}' if name else ''}; allowed is {allowed}"
    return f"{name!r} is {_shown(content, steps)}; allowed is {allowed}"


def allowed_at(shape: object, steps: list[str | int]) -> str:
    """Say what a shape allows at a place in it."""
    hint = shape
    for step in steps:
        inner = _one(hint)
        hint = (
            get_args(inner)[0] if isinstance(step, int) else get_type_hints(inner, include_extras=True)[step]
        )
    inner = _one(hint)
    if isinstance(inner, type) and issubclass(inner, Struct):
        said = f"an object of {', '.join(inner.__struct_fields__)}"
    else:
        said = words(hint)
    return f"{said}, or null" if _nullable(hint) else said


def _one(hint: object) -> Any:
    """Give a type without its bounds, and without null."""
    while get_origin(hint) in (Annotated, Union, UnionType):
        hint = get_args(hint)[0]
    return hint


def _nullable(hint: object) -> bool:
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    return NoneType in get_args(hint)


def _shown(content: bytes, steps: list[str | int]) -> str:
    """Write the value at a place as it was sent, cut to what a message can hold."""
    try:
        value = msgspec.json.decode(content)
        for step in steps:
            value = value[step]
        return msgspec.json.encode(value)[:_SHOWN].decode(errors="backslashreplace")
    except UNREADABLE:  # the JSON is broken behind the value
        return "not as it is to be"
