"""The site's vomsdir: `VO/HOST.lsc` says with which certificates a VO's servers sign.

    /DC=ch/DC=cern/OU=computers/CN=lcg-voms2.cern.ch
    /DC=ch/DC=cern/CN=CERN Grid Certification Authority

Lines come in pairs, subject and issuer, the server's own first; `------ NEXT CHAIN ------` begins another
chain that is right as well.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from rcmon.access.chain import ChainLink
from rcmon.access.names.dn import Dn, DnError
from rcmon.access.names.slash import has_loose_ends
from rcmon.files.reading import FileError, read_text

MAX_FILE = 64 * 1024
NEXT_CHAIN = re.compile(r"-+\s*NEXT CHAIN\s*-+", re.IGNORECASE)

Pair = tuple[Dn, Dn]
"""Subject and issuer."""
LscChain = tuple[Pair, ...]


class LscFile(Struct, frozen=True):
    """What a file says, and what of it may not be meant as it is written."""

    chains: tuple[LscChain, ...]
    warnings: tuple[str, ...] = ()


def read_lsc(path: Path) -> LscFile:
    """Read a file. Raises FileError that names it and the line."""
    text = read_text(path, MAX_FILE)
    return LscFile(parse_lsc(text, path), tuple(_warnings(text, path)))


def _warnings(text: str, path: Path) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and line != line.rstrip():
            yield (
                f"{path}, line {number}: white space at the end, which is left out;"
                " where it belongs to the name, write it as \\x20"
            )
        elif line.startswith("/") and has_loose_ends(line):
            yield f"{path}, line {number}: white space at the end of a value, which counts"


def parse_lsc(text: str, path: Path) -> tuple[LscChain, ...]:
    """Read the text of `path`. Raises FileError."""
    chains: list[list[Dn]] = [[]]
    for number, line in enumerate(text.splitlines(), 1):
        written = line.strip().strip('"')
        if NEXT_CHAIN.fullmatch(written):
            chains.append([])
        elif written and not written.startswith("#"):
            chains[-1].append(_name(written, f"{path}, line {number}"))
    if any(len(names) % 2 or not names for names in chains):
        raise FileError(f"{path}: a chain is one or more pairs of lines, a subject and its issuer")
    return tuple(tuple(zip(names[::2], names[1::2], strict=True)) for names in chains)


def _name(written: str, where: str) -> Dn:
    if not written.startswith("/"):
        raise FileError(f"{where}: {written!r} is not a name in slash form")
    try:
        return Dn.parse(written)
    except DnError as error:
        raise FileError(f"{where}: {error}") from error


def matches(chains: Sequence[LscChain], certificates: Sequence[ChainLink]) -> bool:
    """Whether these certificates are one of the chains, each of them and in order."""
    return tuple((link.subject, link.issuer) for link in certificates) in chains
