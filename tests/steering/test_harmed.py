"""A row of steering that cannot be read: nothing flips for it, and it is right again or waits for a word."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, func, select, update

from rcmon.store.notes import LOST
from rcmon.store.tables import ASKED, CONTROL, QUARANTINE, STEERING
from tests.steering.steered import AGENT, OTHER, SITES, SteeredService, steered
from tests.store.using import kinds

ALL_GOOD = dict.fromkeys(SITES, ("enabled", 1000, 300))
OCTETS = [b"\x81", b"", b"\xc1"]


async def harm(service: SteeredService, column: Column[Any], value: Any = OCTETS[0], **of: Any) -> None:
    async with service.store.transaction() as connection:
        these = [column.table.c[name] == one for name, one in of.items()]
        changed = await connection.execute(update(column.table).where(*these).values({column.name: value}))
        assert changed.rowcount > 0


async def held(service: SteeredService) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await service.read("/api/quarantine"))["quarantine"]
    return found


async def release(service: SteeredService, name: str) -> None:
    answer = await service.write(f"/api/quarantine/{name}/release", {"reason": "looked at it"})
    assert answer.code == 204, answer.body


@pytest.mark.parametrize("octets", OCTETS)
@pytest.mark.parametrize("decision", ["held", "rejected", "released"])
async def test_a_quarantine_ends_and_what_upstream_says_is_judged_anew(
    tmp_path: Path, decision: str, octets: bytes
) -> None:
    async with steered(tmp_path) as service:
        await service.cycles(2)
        service.board.set(SITES, prod_status="drain")
        await service.cycles(2)
        (before,) = await held(service)
        await harm(service, QUARANTINE.c.decision, decision)
        await harm(service, QUARANTINE.c.body, octets)
        assert await held(service) == []
        await service.cycles(1)
        (after,) = await held(service)
        assert (after["cause"], after["decision"]) == (before["cause"], "held")
        assert await service.told() == ALL_GOOD
        assert (await kinds(service.store)).count(LOST) == 1
        await release(service, after["id"])
        await service.cycles(2)
        assert {status for status, _, _ in (await service.told()).values()} == {"drain"}


@pytest.mark.parametrize("octets", OCTETS)
async def test_what_was_effective_counts_as_lost_and_an_operator_lets_it_go_on(
    tmp_path: Path, octets: bytes
) -> None:
    async with steered(tmp_path) as service:
        await service.cycles(2)
        async with service.store.reading() as connection:
            version = (await connection.execute(select(func.max(CONTROL.c.version)))).scalar_one()
        await harm(service, STEERING.c.body, octets)
        for _ in range(2):
            await service.cycles(1)
            assert (await service.ask("sts15min")).code == 503
        assert LOST in await kinds(service.store)
        (waits,) = await held(service)
        await release(service, waits["id"])
        await service.cycles(2)
        assert await service.told() == ALL_GOOD
        async with service.store.reading() as connection:
            newest = (await connection.execute(select(func.max(CONTROL.c.version)))).scalar_one()
        assert newest > version  # no agent is answered from a document of before


@pytest.mark.parametrize("written", ["", "[", "3", '["x"]', "[" * 100_000])
async def test_who_asked_when_is_forgotten_alone(tmp_path: Path, written: str) -> None:
    async with steered(tmp_path) as service:
        await service.cycles(2)
        assert await service.told() == ALL_GOOD
        await harm(service, ASKED.c.earlier, written)
        await service.cycles(1)
        assert await service.told() == ALL_GOOD
        await service.cycles(1)
        assert await service.told() == ALL_GOOD


@pytest.mark.parametrize("octets", OCTETS)
async def test_a_document_of_one_agent_is_concluded_again(tmp_path: Path, octets: bytes) -> None:
    async with steered(tmp_path) as service:
        await service.cycles(2)
        await harm(service, CONTROL.c.body, octets, agent=AGENT)
        assert (await service.read(f"/api/agents/{OTHER}/control"))["agent"] == OTHER
        assert (await service.ask("sts15min")).code == 503
        await service.cycles(1)
        assert await service.told() == ALL_GOOD
