"""What changed, as the service answers."""

from typing import Any

import msgspec
import pytest

from rcmon.errors import StoreError
from rcmon.model.journal import JOURNAL_KINDS, JournalEntry
from rcmon.store.journal import add_entries
from rcmon.web.about import BASE
from rcmon.web.api.journal import JournalQuery
from rcmon.web.api.query import QueryReader
from tests.web.serving import Serving


async def fill(service: Serving, *entries: JournalEntry) -> None:
    assert service.store
    async with service.store.transaction() as connection:
        await add_entries(connection, entries)


async def read(service: Serving, query: str = "") -> Any:
    answer = await service.ask(f"/api/journal{query}")
    assert answer.code == 200, answer.body
    return msgspec.json.decode(answer.body)


def state(time: float, new: str, site: str = "T2_A") -> JournalEntry:
    return JournalEntry(time, "state", {"state": "Normal"}, {"state": new}, "a", site, cause="polled")


async def test_an_entry_tells_what_when_from_what_to_what_and_by_whom(service: Serving) -> None:
    done = JournalEntry(30, "acknowledgement", None, {"reason": "known"}, subject="f1", by="/CN=operator")
    await fill(service, state(10, "Down"), done)
    document = await read(service)
    assert (document["count"], document["total"], document["next"]) == (2, 2, None)
    newest, oldest = document["entries"]
    assert oldest == {
        "id": oldest["id"],
        "time": "1970-01-01T00:00:10Z",
        "cycle": "1970-01-01T00:00:10Z",
        "kind": "state",
        "agent": "a",
        "site": "T2_A",
        "task": None,
        "subject": None,
        "old": {"state": "Normal"},
        "new": {"state": "Down"},
        "cause": "polled",
        "by": None,
    }
    assert (newest["by"], newest["cycle"], newest["subject"]) == ("/CN=operator", None, "f1")


async def test_it_is_read_page_by_page_with_the_same_filters(service: Serving) -> None:
    await fill(service, *(state(number, "Down", f"T2_{'AB'[number % 2]}") for number in range(10)))
    query, seen = "?site=T2_A&limit=2&kind=state", []
    while query:
        document = await read(service, query)
        assert document["total"] == 5
        seen += [entry["time"] for entry in document["entries"]]
        query = (document["next"] or "").removeprefix(f"{BASE}/api/journal")
    assert seen == [f"1970-01-01T00:00:0{second}Z" for second in (8, 6, 4, 2, 0)]


@pytest.mark.parametrize("query", ["since=5&until=1970-01-01T00:00:07Z", "agent=a&since=5&until=7"])
async def test_from_a_time_to_a_time(service: Serving, query: str) -> None:
    await fill(service, *(state(number, "Down") for number in range(10)))
    assert [entry["time"][-3:-1] for entry in (await read(service, f"?{query}"))["entries"]] == [
        "07",
        "06",
        "05",
    ]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("since=now", "since"), ("kind=jobs", "kind"), ("limit=0", "limit"), ("cursor=-1", "cursor")],
)
async def test_what_is_not_understood_is_refused(service: Serving, query: str, parameter: str) -> None:
    answer = await service.ask(f"/api/journal?{query}")
    assert answer.code == 400
    assert msgspec.json.decode(answer.body)["parameter"] == parameter


async def test_a_store_that_fails_is_503_with_when_to_try_again(
    service: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing() -> None:
        raise StoreError("the disk is gone")

    monkeypatch.setattr(service.store, "asking", failing)
    answer = await service.ask("/api/journal")
    assert (answer.code, answer.headers["Retry-After"]) == (503, "5")


def test_every_kind_can_be_asked_for() -> None:
    (kind,) = (one for one in QueryReader(JournalQuery).parameters if one.name == "kind")
    assert kind.allowed == "any of " + ", ".join(one.name for one in JOURNAL_KINDS)
