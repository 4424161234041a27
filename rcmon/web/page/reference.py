"""What the page of the API shows, made from the OpenAPI document."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from rcmon.web.about import BASE

_REF = "#/components/schemas/"
_FOLLOWED = ("head", "options")
"""Methods that go without saying."""
_HOLDERS = {"array": "list of ", "object": "by name: "}
_WORDS = {"integer": "whole number", "string": "text", "boolean": "yes or no", "array": "list"}


class Field(Struct, frozen=True):
    """A parameter, or a member of a shape."""

    name: str
    type: Sequence[tuple[str, str | None]]
    """In words; each with the shape that it names, if any."""
    meaning: str
    needed: bool


class ResourceAnswer(Struct, frozen=True):
    """One answer of an operation."""

    status: str
    meaning: str
    type: Sequence[tuple[str, str | None]]
    media: str


class ResourceEntry(Struct, frozen=True):
    """One operation."""

    id: str
    method: str
    path: str
    role: str
    summary: str
    meaning: str
    fields: Sequence[Field]
    body: Sequence[tuple[str, str | None]]
    answers: Sequence[ResourceAnswer]
    link: str | None
    """Where a browser sees it; None: it changes something, or its path has a part to fill in."""
    curl: str


class Shape(Struct, frozen=True):
    """One type of the documents."""

    name: str
    meaning: str
    fields: Sequence[Field]


class Reference(Struct, frozen=True):
    """The whole."""

    version: str
    entries: Sequence[ResourceEntry]
    pages: Sequence[ResourceEntry]
    shapes: Sequence[Shape]


def reference(document: Mapping[str, Any], origin: str) -> Reference:
    """Make it; `origin`: scheme and host that the lines for curl have."""
    every = [
        (_entry(path, method, one, document, origin), "pages" in one["tags"])
        for path, methods in document["paths"].items()
        for method, one in methods.items()
        if method not in _FOLLOWED
    ]
    return Reference(
        document["info"]["version"],
        [entry for entry, page in every if not page],
        [entry for entry, page in every if page],
        [_shape(name, schema) for name, schema in document["components"]["schemas"].items()],
    )


def _entry(
    path: str, method: str, one: Mapping[str, Any], whole: Mapping[str, Any], origin: str
) -> ResourceEntry:
    roles = one["security"][0]["certificate"]
    readable = method == "get" and "{" not in path
    body = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return ResourceEntry(
        id=one["operationId"],
        method=method.upper(),
        path=path.removeprefix(BASE),
        role=roles[0] if roles else "any",
        summary=_plain(one["summary"]),
        meaning=_plain(one["description"]),
        fields=[_parameter(each) for each in one["parameters"]],
        body=_type(body) if body is not None else [],
        answers=list(_answers(one["responses"], whole["components"]["responses"])),
        link=path if readable else None,
        curl=_curl(method, path, body is not None, origin),
    )


def _plain(text: str) -> str:
    """Write a sentence without marks."""
    return text.replace("`", "")


def _parameter(one: Mapping[str, Any]) -> Field:
    return Field(one["name"], _type(one["schema"]), one.get("description", ""), bool(one.get("required")))


def _answers(responses: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[ResourceAnswer]:
    for status, said in responses.items():
        problem = "$ref" in said
        found = shared[status] if problem else said
        content = {} if problem else found.get("content", {})
        types = [piece for each in content.values() for piece in _type(each["schema"])]
        yield ResourceAnswer(
            status, found["description"], types if "application/json" in content else [], ", ".join(content)
        )


def _curl(method: str, path: str, body: bool, origin: str) -> str:  # noqa: FBT001 - as it is there
    parts = ["curl", "--cert", "me.pem", "--cacert", "ca.crt"]
    parts += ["-X", method.upper()] if method != "get" else []
    parts += ["--json", "@body.json"] if body else []
    return f"{shlex.join(parts)} {shlex.quote(origin + path)}"


def _shape(name: str, schema: Mapping[str, Any]) -> Shape:
    needed = schema.get("required", ())
    fields = [
        Field(member, _type(each), each.get("description", ""), member in needed)
        for member, each in schema.get("properties", {}).items()
    ]
    return Shape(name, _plain(schema.get("description", "")), fields)


def _type(schema: Mapping[str, Any]) -> Sequence[tuple[str, str | None]]:
    """Say what a schema allows, in words."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_REF)
        return [(name, name)]
    if "anyOf" in schema:
        return _joined([_type(one) for one in schema["anyOf"]], " or ")
    kind, inner = schema.get("type"), schema.get("items") or schema.get("additionalProperties")
    if kind in _HOLDERS and isinstance(inner, dict):
        return [(_HOLDERS[kind], None), *_type(inner)]
    return [(_word(schema), None)]


def _word(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    kind = schema.get("type")
    return _WORDS.get(kind, str(kind)) if kind else "anything"


def _joined(
    parts: Sequence[Sequence[tuple[str, str | None]]], between: str
) -> Sequence[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    for number, part in enumerate(parts):
        found += [(between, None)] if number else []
        found += part
    return found
