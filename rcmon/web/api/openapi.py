"""The OpenAPI 3.1 document, written from what all methods of all resources say of themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from rcmon.access.roles import Role
from rcmon.web.about import FULL_NAME, About
from rcmon.web.answers.problems import MEDIA_TYPE
from rcmon.web.answers.ready import Fresh, Ready
from rcmon.web.api.contract import Given, Operation, QueryPart
from rcmon.web.api.events import MEDIA_TYPE as EVENT_STREAM

VERSION = "3.1.1"
OPENAPI_TYPE = "application/openapi+json"
_REF = "#/components/schemas/{name}"
_SCHEME = "certificate"
_ROLES = [role.value for role in Role]
_ALWAYS = (400, 403, 406, 503)
"""Statuses of problems that any method may have."""
_WITH_BODY = (413, 415, 422)
_SEEN: Mapping[int, str] = {
    200: "As asked.",
    201: "Made.",
    204: "Done; there is nothing to tell.",
    304: "What `If-None-Match` names is still so.",
    308: "It stands elsewhere, for good.",
}
_MEANINGS: Mapping[int, str] = {
    400: "A parameter or the path cannot be understood.",
    403: "The certificate lacks the role, or is not accepted (any more).",
    404: "There is nothing of that name.",
    406: "No coding of the answer is acceptable.",
    409: "It contradicts what is there.",
    410: "It was not kept for so long.",
    412: "It is another than was seen.",
    413: "The body is too large.",
    415: "The body is said to be something else than JSON.",
    422: "The body cannot be meant.",
    428: "It must be said what was seen.",
    429: "Too many are under way for this identity; `Retry-After` says when to ask again.",
    503: "It cannot be told just now; `Retry-After` says when to ask again.",
}

_MUST_SAY = 428
_SEEN_BEFORE: Sequence[Mapping[str, Any]] = [
    {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag of what was seen, in quotation marks: it is changed if it is still that.",
        "schema": {"type": "string", "pattern": '^"[!#-~]+"$'},
    },
    {
        "name": "If-None-Match",
        "in": "header",
        "description": "`*`: nothing was seen there, and something is to be made.",
        "schema": {"const": "*"},
    },
]
"""One of them is needed where a change needs what was seen."""


class ProblemDocument(Struct, frozen=True):
    """Problem details (RFC 9457); further members say more of the problem, such as `role_missing`."""

    type: str
    title: str
    status: int
    detail: str
    """What is wrong with this request, and what would be right."""
    instance: str


def openapi(about: About, operations: Sequence[Operation]) -> dict[str, Any]:
    """Write the document of all operations."""
    schemas = _Schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
    return {
        "openapi": VERSION,
        "info": {
            "title": FULL_NAME,
            "version": about.version,
            "summary": "What every grid site may run, does run, and why not.",
            "description": (
                "Every time is ISO 8601 in UTC; null means not known, never zero. Lists tell `count`, `total`"
                " and where they go on (`next`). Errors are problem details."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [
            {"name": "api", "description": "For programs."},
            {"name": "pages", "description": "For people."},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                _SCHEME: {
                    "type": "mutualTLS",
                    "description": (
                        "A client certificate, or a proxy of one (RFC 3820), of an authority that the service"
                        f" trusts. It has roles by the roles file: {', '.join(_ROLES)}."
                        " Where no role is listed, any certificate will do."
                    ),
                }
            },
            "responses": {
                str(status): _problem(meaning, schemas) for status, meaning in sorted(_MEANINGS.items())
            },
        },
    }


def written(document: Mapping[str, Any]) -> Ready:
    """Write the document, ready to send."""
    return Ready(Fresh(msgspec.json.encode(document) + b"\n"), OPENAPI_TYPE)


class _Schemas:
    """The schemas of all types that are named, each once."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        types: list[Any] = [ProblemDocument]
        for one in operations:
            types += [*one.given.shapes, *one.given.named]
            types += [one.body.shape] if one.body else []
        self._types = list({repr(each): each for each in types}.values())
        written, components = msgspec.json.schema_components(self._types, ref_template=_REF)
        self._written = {repr(each): schema for each, schema in zip(self._types, written, strict=True)}
        self.components: dict[str, Any] = dict(sorted(components.items()))

    def of(self, shape: Any) -> dict[str, Any]:
        """Give the schema of a type that an operation names."""
        return self._written[repr(shape)]


def _operation(one: Operation, schemas: _Schemas) -> dict[str, Any]:
    written: dict[str, Any] = {
        "operationId": one.identifier,
        "tags": ["pages" if one.page else "api"],
        "summary": one.summary,
        "description": one.meaning,
        "security": [{_SCHEME: [one.role] if one.role in _ROLES else []}],
        "parameters": [
            *(
                {
                    "name": part.name, "in": "path", "required": True, "description": part.meaning,
                    "schema": {"type": "string", "minLength": 1, "pattern": r"^[^\x00-\x1f\x7f]+$"},
                }
                for part in one.parts
            ),
            *(map(_query, one.query)),
            *(_SEEN_BEFORE if _MUST_SAY in one.given.refuses else ()),
        ],
        "responses": _responses(one, schemas),
    }  # fmt: skip
    if one.body is not None:
        written["requestBody"] = {
            "required": one.body.needed,
            "content": {"application/json": {"schema": schemas.of(one.body.shape)}},
        }
    return written


def _query(part: QueryPart) -> dict[str, Any]:
    written: dict[str, Any] = {"name": part.name, "in": "query", "description": part.meaning}
    # a query has no null: what may be left out is left out
    choices = [one for one in part.schema.get("anyOf", []) if one.get("type") != "null"]
    schema = choices[0] if len(choices) == 1 else dict(part.schema)
    schema.pop("description", None)
    schema.pop("default", None)
    if part.many:
        written |= {"style": "form", "explode": False}
        schema["minItems"] = 1
    if schema.get("type") == "boolean":
        written["allowEmptyValue"] = True
    return written | {"schema": schema}


def _responses(one: Operation, schemas: _Schemas) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status in one.given.statuses:
        found[str(status)] = {"description": _SEEN[status]} | _content(one, status, schemas)
    if one.method in ("GET", "HEAD") and 200 in one.given.statuses and EVENT_STREAM not in one.given.texts:  # noqa: PLR2004 - a status
        found["304"] = {"description": _SEEN[304]}
    refused = {*_ALWAYS, *one.given.refuses}
    refused |= {404} if one.parts else set()
    refused |= set(_WITH_BODY) if one.body else set()
    for status in sorted(refused):
        found[str(status)] = {"$ref": f"#/components/responses/{status}"}
    if one.method == "HEAD":  # no answer to it has content
        found |= {
            status: {"description": _MEANINGS[int(status)]} for status in found if int(status) in _MEANINGS
        }
    return found


def _content(one: Operation, status: int, schemas: _Schemas) -> dict[str, Any]:
    if one.method == "HEAD" or status not in (200, 201):
        return {}
    return {"content": _written(one.given, schemas)}


def _written(given: Given, schemas: _Schemas) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if given.shapes:
        each = [schemas.of(shape) for shape in given.shapes]
        content["application/json"] = {"schema": each[0] if len(each) == 1 else {"anyOf": each}}
    for media_type in given.texts:
        content[media_type] = {"schema": {"type": "object" if media_type.endswith("+json") else "string"}}
    return content


def _problem(meaning: str, schemas: _Schemas) -> dict[str, Any]:
    return {
        "description": meaning,
        "content": {
            MEDIA_TYPE: {"schema": schemas.of(ProblemDocument)},
            # to whoever prefers a page
            "text/html": {"schema": {"type": "string"}},
        },
    }
