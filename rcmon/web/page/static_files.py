"""The style sheet and the picture, read once at start."""

from collections.abc import Mapping
from pathlib import Path

from rcmon.web.answers.ready import Fresh, Ready

STATIC = Path(__file__).parent / "static"

MEDIA_TYPES: Mapping[str, str] = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


def read_static(directory: Path = STATIC) -> dict[str, Ready]:
    """Read every static file, ready to send, by its name; a file of a kind not listed is an error."""
    return {
        path.name: Ready(Fresh(path.read_bytes()), MEDIA_TYPES[path.suffix])
        for path in sorted(directory.iterdir())
    }
