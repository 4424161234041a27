"""The revocation lists of all files, read again when their files change."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from rcmon.access.authority import refusal
from rcmon.access.authority.authorities import Authorities
from rcmon.access.authority.crl.files import CrlFile, merge, read_crl_file
from rcmon.access.authority.crl.parse import Pause
from rcmon.access.authority.crl.table import CrlMode, Table, make_table
from rcmon.access.authority.refusal import Refusal
from rcmon.access.chain import Chain, issued
from rcmon.files.reloads import Reloads
from rcmon.files.stamp import Stamp, stamp_of


class CrlStatus(Struct, frozen=True):
    """One revocation list for status and metrics. Times: seconds since the epoch; None: no list is in use."""

    file: str
    issuer: str | None
    this_update: float | None
    next_update: float | None
    number: int | None
    entries: int | None
    error: str | None
    """What was wrong with the file's newest content."""

    def age(self, now: float) -> float | None:
        """Seconds since the CA issued the list."""
        return None if self.this_update is None else now - self.this_update


class RevocationLists:
    """The revocation lists beside the CAs and in `files`.

    `refresh` belongs to one thread at a time and not to the event loop's; `refusal` and `status` may be
    called meanwhile. `generation` grows when an answer of `refusal` may have changed.
    """

    def __init__(self, authorities: Authorities, mode: CrlMode, files: Sequence[Path] = ()) -> None:
        self.mode = mode
        self.generation = 0
        self.reloads = Reloads("crl")
        self._authorities = authorities
        self._named = tuple(files)
        self._files: Mapping[Path, CrlFile] = {}
        self._table: Table | None = None
        self._answers: object = None
        self._in_use: frozenset[bytes] | None = None

    def refresh(self, now: float, pause: Pause, *, again: bool = False) -> bool | None:
        """Read the files that changed, calling `pause` after each half millisecond of work.

        See `Reloads.tell` for what is returned. Never raises.
        """
        if self.mode is CrlMode.OFF:
            return None
        trusted, generation = self._authorities.trusted, self._authorities.generation
        hashed = {file.path: file for file in trusted.crls}
        stamps = {path: file.stamp for path, file in hashed.items()} | {
            path: stamp_of(path) for path in self._named
        }
        files = {path: self._load(path, seen, generation, now, pause) for path, seen in stamps.items()}
        table = make_table(((file, hashed.get(path)) for path, file in files.items()), trusted.by_hash)
        answers = table.answers(now)
        self._files, self._table = files, table
        if answers != self._answers:
            self._answers = answers
            self.generation += 1
        in_use, before = table.signatures(), self._in_use
        self._in_use = in_use
        return self.reloads.tell(self.errors(), news=in_use != before, again=again)

    def refusal(self, chain: Chain, now: float) -> Refusal | None:
        """Say why one of a chain's certificates is refused; None: none is."""
        if self.mode is CrlMode.OFF:
            return None
        if self._table is None:
            return Refusal(refusal.NOT_LOADED, "the revocation lists have not been read yet")
        for subject, issuer in issued(chain):
            if found := self._table.refusal(subject, issuer, self.mode, now):
                return found
        return None

    def in_use(self) -> Hashable:
        """Give something that is equal where the lists in use are the same."""
        return self._in_use

    def errors(self) -> tuple[str, ...]:
        """List what is wrong with any file's newest content."""
        return tuple(error for file in self._files.values() for error in file.errors)

    def status(self) -> tuple[CrlStatus, ...]:
        """List every revocation list in use, and every file that has none; file and issuer are unique."""
        return tuple(each for path, file in self._files.items() for each in _status(path, file))

    def _load(self, path: Path, seen: Stamp, generation: int, now: float, pause: Pause) -> CrlFile:
        known = self._files.get(path)
        if known is not None and known.is_current(seen, generation):
            return known
        trusted = self._authorities.trusted
        read = read_crl_file(path, lambda name: trusted.by_subject.get(name, ()), now, pause)
        new = msgspec.structs.replace(read, stamp=seen, generation=generation)
        return new if known is None else merge(path, known, new)


def _status(path: Path, file: CrlFile) -> list[CrlStatus]:
    """Describe a file's lists, one for each CA: of two keys' lists the one that expires first."""
    error = "; ".join(file.errors) or None
    lists = sorted(file.lists, key=lambda one: one.next_update, reverse=True)
    of_issuer = {one.issuer: one for one in lists}
    return [
        CrlStatus(
            str(path), str(one.issuer), one.this_update, one.next_update, one.number, len(one.serials), error
        )
        for one in of_issuer.values()
    ] or [CrlStatus(str(path), None, None, None, None, None, error)]
