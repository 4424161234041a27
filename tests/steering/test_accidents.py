"""What has gone wrong upstream: no agent is told anything else for it, one finding says why."""

from pathlib import Path

from tests.steering.steered import SITES, steered

GOOD = ("enabled", 1000, 300)


async def test_an_agent_is_told_what_upstream_says(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        service.board.set(SITES[0], prod_status="drain", core_cpu_intensive=900)
        assert await service.told() == dict.fromkeys(SITES, GOOD)
        await service.cycles()
        assert await service.told() == dict.fromkeys(SITES, GOOD) | {SITES[0]: ("drain", 900, 300)}
