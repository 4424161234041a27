"""Style sheets, scripts and pictures, read once at start, under names that tell their content."""

import hashlib
import re
import zlib
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from rcmon.web.about import BASE
from rcmon.web.answers.headers import IMMUTABLE
from rcmon.web.answers.ready import Fresh, Ready

STATIC = Path(__file__).parent / "static"

MEDIA_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_IMPORTED = re.compile(rb"""(?<=["'])\.{1,2}/(?:vendor/)?([\w-]+\.js)(?=["'])""")
"""How a script names another one."""
_INCLUDED = re.compile(rb"""^@import "\./(?:vendor/)?([\w-]+\.css)";\n""", re.MULTILINE)
"""How a style sheet names another one."""


class Asset(Struct, frozen=True):
    """One file as it is served."""

    served: str
    """Its name with a hash of its content: what is served under it never changes."""
    body: bytes
    needs: tuple[str, ...]
    """The scripts that it imports, and what these import, by their plain names."""


class Squeezed(Fresh):
    """A body that is compressed as far as it goes: once, for all who ask."""

    def gzip(self) -> tuple[bytes, ...]:
        """Compress."""
        compress = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        return (compress.compress(self.body) + compress.flush(),)


class Assets:
    """Every file below a folder, by plain name; which folder of it a file lies in does not matter.

    A script's imports are rewritten to the names with hashes, so that whoever has a script has all of it in
    the same version. A style sheet has those that it imports in it, each once: a page waits for one answer.
    Raises KeyError for a file of a kind that is not listed, ValueError for two files of one name, for imports
    in a circle and for those of what is not there.
    """

    def __init__(self, directory: Path = STATIC) -> None:
        self._files: dict[str, Path] = {}
        for path in sorted(path for path in directory.rglob("*") if path.is_file()):
            if path.name in self._files:
                raise ValueError(f"two files are called {path.name}: {self._files[path.name]} and {path}")
            self._files[path.name] = path
        self._made: dict[str, Asset] = {}
        for name in self._files:
            self._make(name, ())
        self._fixed = {asset.served: self._ready(name, fixed=True) for name, asset in self._made.items()}
        self._newest = {name: self._ready(name, fixed=False) for name in self._made}

    def url(self, name: str) -> str:
        """Tell where a file is served. Raises KeyError for one that is not there."""
        return f"{BASE}/static/{self._made[name].served}"

    def script(self, name: str) -> str:
        """Write the elements of a page's script, and of all it imports, for browsers to ask for at once.

        None is asked for before what a page looks like.
        """
        last = "".join(
            f'<link rel="modulepreload" fetchpriority="low" href="{self.url(needed)}">'
            for needed in self._made[name].needs
        )
        return f'<script type="module" fetchpriority="low" src="{self.url(name)}"></script>{last}'

    def get(self, served: str) -> Ready | None:
        """Give what is served under a name: one with the hash of today's content never changes.

        A page of another version's worker, which may serve beside this one for a while, names another
        hash: it gets today's content, to be asked for anew each time. So does who leaves the hash out.
        """
        if (fixed := self._fixed.get(served)) is not None:
            return fixed
        return self._newest.get(re.sub(r"\.[0-9a-f]{12}(?=\.[a-z]+\Z)", "", served))

    def _make(self, name: str, way: tuple[str, ...]) -> Asset:
        if name not in self._made:
            body, needs = self._read(name, way), dict[str, None]()
            if name.endswith(".js"):
                for found in _IMPORTED.finditer(body):
                    needed = found[1].decode()
                    needs |= {needed: None} | dict.fromkeys(self._make(needed, (*way, name)).needs)
                body = _IMPORTED.sub(lambda found: f"./{self._made[found[1].decode()].served}".encode(), body)
            elif name.endswith(".css"):
                body = self._whole(body, (*way, name), set())
            stem, _, ending = name.rpartition(".")
            digest = hashlib.sha256(body).hexdigest()[:12]
            self._made[name] = Asset(f"{stem}.{digest}.{ending}", body, tuple(needs))
        return self._made[name]

    def _read(self, name: str, way: tuple[str, ...]) -> bytes:
        if name in way:
            raise ValueError(f"imports go in a circle: {' -> '.join((*way, name))}")
        if name not in self._files:
            raise ValueError(f"{way[-1]} imports {name}, which is not there")
        return self._files[name].read_bytes()

    def _whole(self, sheet: bytes, way: tuple[str, ...], there: set[str]) -> bytes:
        """Put the style sheets that one imports in their places."""

        def included(found: re.Match[bytes]) -> bytes:
            name = found[1].decode()
            other = self._read(name, way)
            if name in there:
                return b""
            there.add(name)
            return self._whole(other, (*way, name), there)

        return _INCLUDED.sub(included, sheet)

    def _ready(self, name: str, *, fixed: bool) -> Ready:
        media_type, body = MEDIA_TYPES[self._files[name].suffix], Squeezed(self._made[name].body)
        return Ready(body, media_type, cache=IMMUTABLE) if fixed else Ready(body, media_type)
