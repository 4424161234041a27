"""The token that the agent sends: read from its file at each question, compared in constant time."""

import hmac
from pathlib import Path

from rcmon.bridge.doubt import DoubtError
from rcmon.files.reading import OURS, FileError, read_text

_LONGEST = 64 * 1024
SHORTEST = 16
"""Characters: everybody on this node can try."""
_SCHEME = "Bearer "


def read_token(path: Path) -> str:
    """Read the token; `Bearer` may stand before it, as in the agent's configuration. Raises DoubtError."""
    try:
        token = read_text(path, _LONGEST, OURS).strip().removeprefix(_SCHEME).strip()
    except FileError as error:
        raise DoubtError("token_file", f"--token-file {error}") from error
    if not token.isascii() or not token.isprintable() or " " in token or len(token) < SHORTEST:
        raise DoubtError(
            "token_file",
            f"--token-file {path}: holds no token, which is one word of {SHORTEST} or more ASCII characters;"
            f" do: (umask 077; openssl rand -hex 32 > {path})",
        )
    return token


def is_sent(token: str, authorization: str) -> bool:
    """Tell whether the header field that an agent sent holds the token."""
    sent = authorization.removeprefix(_SCHEME) if authorization.startswith(_SCHEME) else ""
    return hmac.compare_digest(sent.strip().encode(), token.encode())
