"""Kill a writer in the middle of its saves, again and again; started as a process by test_killed.py.

Arguments: the database's path, how many rounds. It forks each writer, so it never has a loop or a thread at
that time. It prints `rounds saves` when the newest snapshot was whole after each kill.
"""

import asyncio
import os
import random
import signal
import sys
import time

from rcmon.model import Document
from rcmon.store import Store
from tests.store.made import agent, document, row, snapshot
from tests.store.using import kinds, last_snapshot, load_documents, newest_id, notes, past, save

SITES = 40


def documents(start: int) -> list[Document]:
    return [document(f"agents/{n}", b"%d " % start * 20_000) for n in range(8)]


async def write(url: str, start: int, report: int) -> None:
    store = Store(url)
    agents = [agent("a", SITES)]
    while True:
        start += 1
        rows = [row(start, start, site=f"T2_XX_{n}") for n in range(SITES)]
        await save(store, snapshot(start, agents), documents(start), rows)
        os.write(report, start.to_bytes(8, "big"))


async def verify(url: str, at_least: int) -> int:
    store = Store(url)
    await store.migrate()
    assert await kinds(store) == ["made"], await notes(store)
    last = await last_snapshot(store)
    start = int(last.started) if last else 0
    assert start >= at_least, f"snapshot {at_least} was saved and is lost"
    number = await newest_id(store)
    found = await load_documents(store, number) if number else []
    assert {one.key: one for one in found} == {one.key: one for one in documents(start) if last}
    for site in range(SITES if last else 0):
        newest = (await past(store, "a", f"T2_XX_{site}", start))[-1]
        assert newest.running_jobs == start, (site, newest, start)
    await store.close()
    return start


def run_round(url: str, start: int, chance: random.Random) -> int:
    receive, report = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receive)
        try:
            asyncio.run(write(url, start, report))
        finally:
            os._exit(1)
    os.close(report)
    saved = start
    for _ in range(chance.randrange(1, 4)):  # some whole saves, then somewhere within the next
        saved = int.from_bytes(os.read(receive, 8), "big")
    assert saved > start, "the writer died by itself"
    time.sleep(chance.random() * 0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(receive, 8):
        saved = int.from_bytes(more, "big")
    os.close(receive)
    return asyncio.run(verify(url, saved))


def main(path: str, rounds: int) -> None:
    url = f"sqlite:///{path}"
    start = asyncio.run(verify(url, 0))
    for number in range(rounds):
        start = run_round(url, start, random.Random(number))
    print(rounds, start)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
