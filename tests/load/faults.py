"""Faults that happen to a running demo: each is done, lasts a moment, and is undone."""

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import processes

Fault = Callable[["Place"], contextlib.AbstractContextManager[None]]

AGENT = "vocms0282"
LOWEST = -(2**63)


@dataclass(frozen=True)
class Place:
    """Where the demo is: its directory, its first process, and the file that moves its clock."""

    directory: Path
    pid: int
    clock: Path
    dice: random.Random

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.directory / "rcmon.sqlite"

    @property
    def source(self) -> Path:
        """One agent's database."""
        return self.directory / f"{AGENT}.sqlite"

    def child(self) -> int:
        """Draw one of the service's processes below the first."""
        return self.dice.choice(processes.tree(self.pid)[1:])

    def reload(self) -> None:
        """Tell the service to look at its files."""
        os.kill(self.pid, signal.SIGHUP)


@contextlib.contextmanager
def process_killed(place: Place) -> Iterator[None]:
    os.kill(place.child(), signal.SIGKILL)
    yield


@contextlib.contextmanager
def all_killed_but_the_first(place: Place) -> Iterator[None]:
    for pid in processes.tree(place.pid)[1:]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    yield


@contextlib.contextmanager
def process_stopped(place: Place) -> Iterator[None]:
    pid = place.child()
    os.kill(pid, signal.SIGSTOP)
    yield
    with contextlib.suppress(ProcessLookupError):  # what hangs is replaced
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def source_dies(place: Place) -> Iterator[None]:
    aside = place.source.with_suffix(".aside")
    place.source.rename(aside)
    yield
    aside.rename(place.source)


@contextlib.contextmanager
def source_hangs(place: Place) -> Iterator[None]:
    """Whoever opens the database waits for a writer that does not come."""
    aside = place.source.with_suffix(".aside")
    place.source.rename(aside)
    os.mkfifo(place.source)
    yield
    with contextlib.suppress(OSError):  # let go whoever waits
        os.close(os.open(place.source, os.O_RDWR | os.O_NONBLOCK))
    aside.replace(place.source)


@contextlib.contextmanager
def source_lies(place: Place) -> Iterator[None]:
    with closing(sqlite3.connect(place.source, timeout=30)) as connection:
        before = connection.execute("SELECT running_slots, pending_slots, id FROM wmbs_location").fetchall()
        with connection:
            connection.execute(
                "UPDATE wmbs_location SET running_slots = ?, pending_slots = 'Infinity'", (LOWEST,)
            )
        yield
        with connection:
            connection.executemany(
                "UPDATE wmbs_location SET running_slots = ?, pending_slots = ? WHERE id = ?", before
            )


@contextlib.contextmanager
def store_cut(place: Place) -> Iterator[None]:
    os.truncate(place.store, place.store.stat().st_size // 2)
    yield


@contextlib.contextmanager
def store_overwritten(place: Place) -> Iterator[None]:
    with place.store.open("r+b") as file:
        for start in range(0, place.store.stat().st_size, 8192):
            file.seek(start)
            file.write(place.dice.randbytes(4096))
    yield


@contextlib.contextmanager
def store_deleted(place: Place) -> Iterator[None]:
    place.store.unlink()
    yield


@contextlib.contextmanager
def store_loses_a_table(place: Place) -> Iterator[None]:
    with closing(sqlite3.connect(place.store, timeout=30)) as connection, connection:
        connection.execute(f"DROP TABLE {place.dice.choice(('history', 'document', 'series'))}")
    yield


@contextlib.contextmanager
def disk_full(place: Place) -> Iterator[None]:
    filler = place.directory / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))
    yield
    filler.unlink()


@contextlib.contextmanager
def half_written(place: Place) -> Iterator[None]:
    path = place.directory / place.dice.choice(
        ("roles.toml", "pki/server.crt", "pki/server.key", "pki/ca.crt")
    )
    aside = path.with_suffix(".aside")
    shutil.copy2(path, aside)
    os.truncate(path, path.stat().st_size // 2)
    place.reload()
    yield
    aside.replace(path)
    place.reload()


def clock_jumps(seconds: int) -> Fault:
    """Make a fault: the clock of every process jumps, and later back."""

    @contextlib.contextmanager
    def jump(place: Place) -> Iterator[None]:
        place.clock.write_text(f"{seconds:+d}\n")
        yield
        place.clock.write_text("+0\n")

    return jump


FAULTS: dict[str, Fault] = {
    "a process is killed": process_killed,
    "all processes but the first are killed": all_killed_but_the_first,
    "a process is stopped": process_stopped,
    "a source dies": source_dies,
    "a source hangs": source_hangs,
    "a source lies": source_lies,
    "the store is cut": store_cut,
    "the store is overwritten": store_overwritten,
    "the store is deleted": store_deleted,
    "the store loses a table": store_loses_a_table,
    "the disk is full": disk_full,
    "a file is half written": half_written,
    "the clock jumps an hour ahead": clock_jumps(3600),
    "the clock jumps an hour back": clock_jumps(-3600),
    "the clock jumps forty days ahead": clock_jumps(40 * 86400),
}
"""By what happens."""


def lasts(place: Place, interval: float) -> None:
    """Let a fault last for a cycle or two."""
    time.sleep(interval * place.dice.uniform(1.0, 2.5))
