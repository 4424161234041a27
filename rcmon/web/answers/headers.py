"""The header fields that every answer carries, on either way."""

from collections.abc import Iterable

Field = tuple[str, str]

SECURITY: tuple[Field, ...] = (
    ("Server", "rcmon"),
    ("X-Content-Type-Options", "nosniff"),
    ("Strict-Transport-Security", "max-age=31536000"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
)
"""The server without a version (nothing to look exploits up by), and what browsers must not do."""

CONTENT_POLICY: Field = (
    "Content-Security-Policy",
    (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
)
"""For pages: our own style sheet and picture, no script at all, never in somebody's frame."""

REVALIDATE: Field = ("Cache-Control", "private, no-cache")
"""An answer depends on who asks, and must be checked by its ETag before it is shown again."""

NO_STORE: Field = ("Cache-Control", "no-store")
"""An answer that is of this moment alone: nobody keeps it."""


def lines(fields: Iterable[Field]) -> bytes:
    """Write fields as they stand in a response head."""
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1")
