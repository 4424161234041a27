"""Query strings, read strictly: what is not understood is refused, with name, value and what is allowed.

What a resource takes is one struct, a field per parameter: what is read, the messages, the index, the
documentation's table and the JSON schema follow from its types.
"""

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct, ValidationError

from rcmon.web.answers.problems import Problem

MAX_ITEMS = 100
"""How many values a list may hold: each is matched against every site."""
FLAGS: Mapping[str, bool] = {"": True, "1": True, "true": True, "0": False, "false": False}

T = TypeVar("T")
Many = Annotated[tuple[T, ...], Meta(max_length=MAX_ITEMS)]
"""A list: given repeatedly, or with commas between its items."""
# a `$` alone would let a line end follow
GLOB = r"^[A-Za-z0-9_.*?\[\]!-]{1,100}$(?!\n)"
NAME = r"^[^\x00-\x1f\x7f]{1,256}$(?!\n)"
_NAMES = "whole names, upper and lower case apart, with the wildcards *, ? and [...], "
SiteGlob = Annotated[str, Meta(pattern=GLOB, description=f"{_NAMES}such as T1_*")]
Agent = Annotated[str, Meta(pattern=NAME, description="an agent's name")]
Moment = Annotated[
    str,
    Meta(
        pattern=r"^[0-9TZ:.+ -]{1,40}$(?!\n)",
        description="a time with its zone such as 2026-01-01T12:00:00Z, or seconds since the epoch",
    ),
]
At = Annotated[
    str,
    Meta(
        pattern=r"^[0-9TZ:.+ -]{1,40}$(?!\n)",
        description="a time that is past, with its zone such as 2026-01-01T12:00:00Z, or in seconds since"
        " the epoch: what held then",
    ),
]
AgentGlob = Annotated[str, Meta(pattern=GLOB, description=f"{_NAMES}such as vocms*")]
TaskGlob = Annotated[str, Meta(pattern=GLOB, description=f"{_NAMES}such as Merge")]


class Query(Struct, frozen=True, kw_only=True):
    """What a resource takes: a subclass has a field for each parameter, with what holds without it."""


class Pretty(Query, frozen=True, kw_only=True):
    """What every JSON document takes."""

    pretty: bool = False


class AtPretty(Pretty, frozen=True, kw_only=True):
    """What a JSON document takes that can be of a past moment."""

    at: At = ""


class Parameter(Struct, frozen=True):
    """One query parameter of a resource."""

    name: str
    allowed: str
    """What values it takes, in words: part of the error message and of the index."""
    many: bool
    flag: bool
    type: object
    """As its field is declared."""

    @property
    def schema(self) -> dict[str, Any]:
        """The same as JSON Schema."""
        return msgspec.json.schema(self.type)


Q = TypeVar("Q", bound=Query)


class QueryReader(Generic[Q]):
    """Reads queries into a struct. Raises TypeError for one that lacks a default or words for a field."""

    def __init__(self, shape: type[Q]) -> None:
        hints = get_type_hints(shape, include_extras=True)
        # a word of Python's own, such as `from`, has an underscore behind it
        names = zip(shape.__struct_encode_fields__, shape.__struct_fields__, strict=True)
        self._fields = {name.rstrip("_"): field for name, field in names}
        self.parameters = tuple(_parameter(name, hints[field]) for name, field in self._fields.items())
        self.nothing = shape()
        """What holds where nothing is asked."""
        self._shape = shape
        self._known = {parameter.name: parameter for parameter in self.parameters}

    def read(self, arguments: Mapping[str, Sequence[bytes]]) -> Q:
        """Read a query. Raises Problem 400."""
        return self._shape(**self._values(arguments))

    def read_leniently(self, arguments: Mapping[str, Sequence[bytes]]) -> tuple[Q, list[Problem]]:
        """Read what can be read of a query, and tell what cannot."""
        values: dict[str, object] = {}
        problems = []
        for name, texts in arguments.items():
            try:
                values |= self._values({name: texts})
            except Problem as problem:
                problems.append(problem)
        return self._shape(**values), problems

    def _values(self, arguments: Mapping[str, Sequence[bytes]]) -> dict[str, object]:
        values: dict[str, object] = {}
        for name, texts in arguments.items():
            parameter = self._known.get(name)
            if parameter is None:
                raise _unknown(name, texts, self._known)
            values[self._fields[name]] = _many(parameter, texts) if parameter.many else _one(parameter, texts)
        return values


def _parameter(name: str, hint: object) -> Parameter:
    many = get_origin(get_args(hint)[0]) is tuple if get_origin(hint) is Annotated else False
    return Parameter(name, words(hint), many, hint is bool, hint)


def words(hint: object, *, many: bool = False) -> str:
    """Say what a type allows; lists of words in the order in which it has them."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is bool:
        return "nothing, or one of 1, true, 0, false"
    if origin is Literal:
        return ("any of " if many else "one of ") + ", ".join(inner)
    if origin in (Union, UnionType):
        return words(inner[0])
    if origin is Annotated:
        return _bounded(*inner)
    raise TypeError(f"{hint} does not say what is allowed: give it bounds or a description")


def _bounded(hint: object, meta: Meta) -> str:
    """Say what a type with bounds allows."""
    if meta.description is not None:
        return meta.description
    if hint is int and meta.ge is not None and meta.le is not None:
        return f"a whole number from {meta.ge} to {meta.le}"
    if hint is float and meta.ge is not None and meta.le is not None:
        return f"a number from {meta.ge:g} to {meta.le:g}"
    if get_origin(hint) is tuple:
        return words(get_args(hint)[0], many=True)
    raise TypeError(f"{hint} with {meta} does not say what is allowed: give it bounds or a description")


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


def _read(parameter: Parameter, item: bytes) -> object:
    try:
        text = item.decode()
        if parameter.flag:
            return FLAGS[text]
        value: object
        if parameter.many:
            (value,) = msgspec.convert((text,), parameter.type, strict=False)
        else:
            value = msgspec.convert(text, parameter.type, strict=False)
    except (ValidationError, UnicodeDecodeError, KeyError):
        raise _wrong(parameter, _shown(item), parameter.allowed) from None
    if str(value) != text:  # such as 1e2 or null, which are read too
        raise _wrong(parameter, _shown(item), parameter.allowed)
    return value


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
