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
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
)
"""For pages: our own style sheets, scripts and pictures, nothing inline, never in somebody's frame.

No text becomes markup or script, whoever wrote it: there is no policy that could make it trusted."""

REVALIDATE: Field = ("Cache-Control", "private, no-cache")
"""An answer depends on who asks, and must be checked by its ETag before it is shown again."""

IMMUTABLE: Field = ("Cache-Control", "private, max-age=31536000, immutable")
"""What is under this name never changes: nobody need ask again."""

NO_STORE: Field = ("Cache-Control", "no-store")
"""An answer that is of this moment alone: nobody keeps it."""


def lines(fields: Iterable[Field]) -> bytes:
    """Write fields as they stand in a response head."""
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1")
