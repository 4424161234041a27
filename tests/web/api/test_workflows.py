"""Who holds the slots, as the service answers."""

import msgspec
from msgspec.structs import replace

from rcmon.model import Holder, Holders
from rcmon.render import render
from tests.store.using import save
from tests.web.grid import make_snapshot
from tests.web.serving import Serving

SITE = "T1_DE_KIT"


async def test_a_sites_workflows_by_task_type(service: Serving) -> None:
    assert service.store
    snapshot = make_snapshot()
    held = {SITE: {"Merge": Holders((Holder("x", 1, 5),))}}
    agents = {name: replace(agent, holders=held) for name, agent in snapshot.agents.items()}
    snapshot = replace(snapshot, agents=agents)
    await save(service.store, snapshot, render(snapshot), [])
    await service.board.check()
    answer = await service.ask(f"/api/sites/{SITE}/workflows")
    assert answer.code == 200, answer.body
    document = msgspec.json.decode(answer.body)
    (merge,) = document["tasks"]
    assert (document["site"], document["total"], document["next"]) == (SITE, 1, None)
    assert [(one["workflow"], one["running_jobs"]) for one in merge["by_running"]] == [("x", 5 * len(agents))]
    assert merge["complete"] is True


async def test_an_unknown_site_is_not_there(service: Serving) -> None:
    assert (await service.ask("/api/sites/T9_NO_SUCH/workflows")).code == 404


async def test_a_site_of_which_no_agent_tells_has_an_empty_list(service: Serving) -> None:
    answer = await service.ask(f"/api/sites/{SITE}/workflows")
    assert msgspec.json.decode(answer.body)["tasks"] == []
