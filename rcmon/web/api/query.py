"""Query strings, read strictly: what is not understood is refused, with name, value and what is allowed."""

import re
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from rcmon.web.answers.problems import Problem

MAX_ITEMS = 100
"""How many values a list may hold: each is matched against every site."""
_GLOB = re.compile(r"[A-Za-z0-9_.*?\[\]!-]{1,100}")


class Parameter(Struct, frozen=True):
    """One query parameter of a resource."""

    name: str
    allowed: str
    """What values it takes, in words: part of the error message and of the index."""
    read: Callable[[str], object]
    """From text to value; ValueError for what is not allowed."""
    many: bool = False
    """Whether it is a list: given repeatedly, or with commas between its items."""


Values = dict[str, object]


def read(arguments: Mapping[str, Sequence[bytes]], parameters: Sequence[Parameter]) -> Values:
    """Read a query: the values of what was given, by name, lists as tuples. Raises Problem 400."""
    known = {parameter.name: parameter for parameter in parameters}
    values: Values = {}
    for name, texts in arguments.items():
        parameter = known.get(name)
        if parameter is None:
            raise _unknown(name, texts, known)
        values[name] = _many(parameter, texts) if parameter.many else _one(parameter, texts)
    return values


def _unknown(name: str, texts: Sequence[bytes], known: Mapping[str, Parameter]) -> Problem:
    allowed = ", ".join(known) or "none"
    return Problem(
        400,
        f"Unknown parameter {name!r}; this resource takes: {allowed}.",
        parameter=name,
        value=_shown(texts[0]),
        allowed=list(known),
    )


def _one(parameter: Parameter, texts: Sequence[bytes]) -> object:
    if len(texts) > 1:
        raise _wrong(parameter, ", ".join(map(_shown, texts)), f"one value, not {len(texts)}")
    return _read(parameter, texts[0])


def _many(parameter: Parameter, texts: Sequence[bytes]) -> tuple[object, ...]:
    items = [item for text in texts for item in text.split(b",")]
    if len(items) > MAX_ITEMS:
        raise _wrong(parameter, f"{len(items)} items", f"at most {MAX_ITEMS} items")
    return tuple(dict.fromkeys(_read(parameter, item) for item in items))


def _read(parameter: Parameter, text: bytes) -> object:
    try:
        return parameter.read(text.decode())
    except ValueError:
        raise _wrong(parameter, _shown(text), parameter.allowed) from None


def _wrong(parameter: Parameter, value: str, allowed: str) -> Problem:
    return Problem(
        400,
        f"Parameter {parameter.name!r} has the value {value!r}; allowed is {allowed}.",
        parameter=parameter.name,
        value=value,
        allowed=allowed,
    )


def _shown(text: bytes) -> str:
    """Cut a value to what an error message can hold."""
    return text[:200].decode(errors="backslashreplace")


def one_of(name: str, choices: Sequence[str], *, many: bool = False) -> Parameter:
    """Take one of the words, or a list of them."""

    def convert(text: str) -> str:
        if text not in choices:
            raise ValueError(text)
        return text

    return Parameter(name, ("any of " if many else "one of ") + ", ".join(choices), convert, many)


def integer(name: str, low: int, high: int) -> Parameter:
    """Take a whole number from low to high."""

    def convert(text: str) -> int:
        # int() would take signs, spaces, underscores and the digits of other scripts
        if not (text.isascii() and text.isdecimal() and low <= int(text) <= high):
            raise ValueError(text)
        return int(text)

    return Parameter(name, f"a whole number from {low} to {high}", convert)


def globs(name: str, example: str) -> Parameter:
    """Take a list of names, each of which may hold the wildcards `*`, `?` and `[…]`."""

    def convert(text: str) -> str:
        if not _GLOB.fullmatch(text):
            raise ValueError(text)
        return text

    allowed = f"names of letters, digits, '_', '-', '.', with the wildcards *, ? and [...], such as {example}"
    return Parameter(name, allowed, convert, many=True)


def flag(name: str) -> Parameter:
    """Take a switch: `?name` alone or with a truth value."""
    words = {"": True, "1": True, "true": True, "0": False, "false": False}

    def convert(text: str) -> bool:
        try:
            return words[text]
        except KeyError:
            raise ValueError(text) from None

    return Parameter(name, "nothing, or one of 1, true, 0, false", convert)


PRETTY = flag("pretty")
