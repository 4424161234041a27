"""How unmodified agents are answered: one version for a cycle, and nothing at all in any doubt."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from rcmon.bridge import answer
from rcmon.collector import steering as concluding
from rcmon.model import Override, OverrideChange, Snapshot, SpotChange
from rcmon.model.steering import MOST_CORES
from rcmon.store.overrides import make_change
from rcmon.store.tables import STEERING
from rcmon.telemetry.own import SSB_QUESTIONS
from rcmon.web.api.steering import PINNED
from tests.steering.steered import AGENT, CONTROL, OTHER, SITES, SteeredService, steered
from tests.web.grid import NOW

VERSION = "X-Rcmon-Control-Version"
STATES, SLOTS = "sts15min", "scap15min"
GOOD = ("enabled", 1000, 300)


async def codes(service: SteeredService) -> tuple[int, int]:
    return (await service.ask(STATES)).code, (await service.ask(SLOTS)).code


async def test_an_answer_is_in_the_least_form_that_agents_read(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        answered = await service.ask(STATES)
        assert answered.headers["Content-Type"] == "application/json"
        (response,) = json.loads(answered.body)["responses"]
        assert response["hits"]["hits"][0] == {
            "_source": {"data": {"name": SITES[0], "prod_status": "enabled"}},
            "sort": [int(service.now * 1000)],
        }
        (response,) = json.loads((await service.ask(SLOTS)).body)["responses"]
        data = {"name": SITES[0], "core_cpu_intensive": 1000, "core_io_intensive": 300}
        assert response["hits"]["hits"][0]["_source"] == {"data": data}
        assert len(response["hits"]["hits"]) == len(SITES)


async def test_the_requests_of_one_cycle_get_one_version(tmp_path: Path) -> None:
    """Also where another worker answers, or a newer version came: the agent has written its states."""
    async with steered(tmp_path) as service:
        await service.cycles()
        first = await service.ask(STATES)
        service.board.set(SITES[0], prod_status="drain", core_cpu_intensive=900)
        await service.cycles()
        for _ in range(2):
            slots = await service.ask(SLOTS, **{VERSION.replace("-", "_"): first.headers[VERSION]})
            assert (slots.code, slots.headers[VERSION]) == (200, first.headers[VERSION])
            assert b"900" not in slots.body
        second = await service.ask(STATES)
        assert int(second.headers[VERSION]) == int(first.headers[VERSION]) + 1
        old = await service.ask(SLOTS, **{VERSION.replace("-", "_"): first.headers[VERSION]})
        assert old.code == 503, "states and slots of two versions"
        assert b"900" in (await service.ask(SLOTS)).body


async def test_a_version_stays_where_nothing_changes(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        first = await service.ask(STATES)
        await service.cycles(5)
        later = await service.ask(STATES)
        assert first.headers[VERSION] == later.headers[VERSION]
        assert json.loads(later.body)["responses"][0]["hits"]["hits"][0]["sort"] == [int(service.now * 1000)]


async def test_slots_are_told_only_to_who_has_just_asked_for_the_states(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        assert (await service.ask(SLOTS)).code == 503
        assert await codes(service) == (200, 200)
        service.served.now += PINNED + 1
        assert (await service.ask(SLOTS)).code == 503
        service.served.now -= 2 * PINNED + 2
        assert (await service.ask(SLOTS)).code == 503, "the clock was set back"


@pytest.mark.parametrize(
    ("control", "mode"),
    [
        (None, "observe"),
        ('[control]\nmode = "observe"\n', "observe"),
        ('[control]\nmode = "advise"\n', "advise"),
        (f'{CONTROL}[agents.{AGENT}]\nmode = "advise"\n', "advise"),
    ],
)
async def test_nobody_is_steered_unless_the_control_file_says_so(
    tmp_path: Path, control: str | None, mode: str
) -> None:
    async with steered(tmp_path, control) as service:
        await service.cycles()
        refused = await service.ask(STATES)
        assert (refused.code, json.loads(refused.body)["mode"]) == (503, mode)
        document = await service.served.ask(f"/api/agents/{AGENT}/control", "reader")
        assert document.code == (404 if mode == "observe" else 200)
        assert (await service.read("/api/status"))["control"]["agents"][AGENT] == mode
        assert service.served.counted(SSB_QUESTIONS) == {("off",): 1.0}


async def test_going_back_takes_effect_at_the_next_question(tmp_path: Path) -> None:
    """Without any cycle between."""
    async with steered(tmp_path) as service:
        for text in ('[control]\nmode = "observe"\n', f'{CONTROL}[agents.{AGENT}]\nmode = "advise"\n', None):
            service.file.write_text(CONTROL)
            await service.cycles()
            assert (await service.ask(STATES)).code == 200
            if text is None:
                service.file.unlink()
            else:
                service.file.write_text(text)
            assert (await service.ask(STATES)).code == 503, text


async def test_going_there_takes_effect_with_the_next_cycle(tmp_path: Path) -> None:
    """What was concluded for an agent that nobody steers knows nothing of its share."""
    file = f'[agents.{AGENT}]\nmode = "advise"\n'
    async with steered(tmp_path, file) as service:
        await service.cycles()
        service.file.write_text(file.replace("advise", "control"))
        refused = await service.ask(STATES)
        assert refused.code == 503
        assert "concluded for mode advise" in json.loads(refused.body)["detail"]
        assert "concluded for mode advise" in (await service.read(f"/api/agents/{AGENT}/control"))["problem"]
        await service.cycles()
        assert (await service.ask(STATES)).code == 200
        assert (await service.read(f"/api/agents/{AGENT}/control"))["problem"] is None


async def test_a_spoilt_control_file_leaves_what_was_there_and_is_told(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        service.file.write_text('[control]\nmode = "cotnrol"\n')
        assert (await service.ask(STATES)).code == 200
        told = (await service.read("/api/status"))["control"]
        assert told["mode"] == "control"
        assert "cotnrol" in told["error"]
        assert str(service.file) in told["error"]


@pytest.mark.parametrize("who", ["reader", "operator", "stranger"])
async def test_who_is_no_agent_gets_no_answer(tmp_path: Path, who: str) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        assert (await service.ask(STATES, who=who)).code == 403


async def test_an_agent_reaches_no_other_agents_answers(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        assert (await service.ask(STATES, agent=OTHER)).code == 403
        assert (await service.served.ask(f"/api/agents/{OTHER}/control", "agent")).code == 403
        assert (await service.served.ask(f"/api/agents/{AGENT}/control", "agent")).code == 200
        assert (await service.ask(STATES, agent=OTHER, who="admin")).code == 200


async def test_before_any_sound_document_nothing_is_told(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        assert await codes(service) == (503, 503)
        service.board.raw = b"<html>"
        await service.cycles(2)
        assert await codes(service) == (503, 503)
        service.board.raw = None
        await service.cycles()
        assert await codes(service) == (200, 200)


async def test_what_no_cycle_concludes_any_more_is_not_told(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        service.served.now += 899
        assert (await service.ask(STATES)).code == 200
        service.served.now += 2
        assert (await service.ask(STATES)).code == 503


async def test_what_was_confirmed_too_long_ago_is_not_told(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        service.board.raw = b""
        await service.cycles(1, 129_600)
        assert (await service.ask(STATES)).code == 200
        await service.cycles(1, 60)
        refused = await service.ask(STATES)
        assert refused.code == 503
        assert b"sound document" in refused.body


async def test_a_step_that_fails_ends_no_cycle_and_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()

        def fail(*_: object) -> None:
            raise ZeroDivisionError("a fault of ours")

        monkeypatch.setattr(concluding, "controls", fail)
        before = service.served.board.current
        snapshot = await service.cycles()
        assert isinstance(snapshot, Snapshot)
        assert service.served.board.current is not before
        assert service.troubles["control"] == "a fault of ours"
        refused = await service.ask(STATES)
        assert refused.code == 503
        assert b"a fault of ours" in refused.body
        monkeypatch.undo()
        await service.cycles()
        assert service.troubles["control"] is None
        assert await codes(service) == (200, 200)


async def test_what_is_damaged_in_the_store_is_not_told(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        async with service.store.adding() as connection:
            await connection.execute(update(STEERING).values(body=b"\xc1"))
        assert (await service.ask(STATES)).code == 503


async def test_after_the_store_was_set_aside_an_operator_looks_first(tmp_path: Path) -> None:
    """What was effective, held, weighed and overridden is lost: nothing is told until somebody says so."""
    async with steered(tmp_path) as service:
        await service.cycles()
        await service.restart()
        await service.store.migrate("it is damaged", condemned=True)
        await service.cycles(3)
        assert await codes(service) == (503, 503)
        (held,) = (await service.read("/api/quarantine"))["quarantine"]
        assert (held["cause"], len(held["sites"])) == ("first", len(SITES))
        assert (await service.write(f"/api/quarantine/{held['id']}/release", {"reason": "r"})).code == 204
        await service.cycles()
        assert await service.told() == dict.fromkeys(SITES, GOOD)


async def test_a_store_that_is_lost_within_a_cycle_takes_what_was_effective_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was concluded with overrides and weights must not outlive them."""
    async with steered(tmp_path) as service:
        await service.cycles()
        publish = service.collector._publisher.publish

        async def lose(*what: Any) -> None:
            await service.store.migrate("it is damaged", condemned=True)
            await publish(*what)

        monkeypatch.setattr(service.collector._publisher, "publish", lose)
        await service.cycles()
        monkeypatch.undo()
        assert "not in the store any more" in str(service.troubles["control"])
        for _ in range(3):
            assert await codes(service) == (503, 503)
            snapshot = await service.cycles()
        assert [one.cause for one in snapshot.steered.quarantines] == ["first"]


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", 422), (b"{}\n{}\n", 422), (b"metadata.monit_hdfs_path: other15min", 422), (b"x" * 70_000, 413)],
)
async def test_a_question_that_is_not_known_is_refused(tmp_path: Path, body: bytes, code: int) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        path = f"/api/agents/{AGENT}/ssb/_msearch"
        answered = await service.served.ask(
            path, "agent", method="POST", body=body, Content_Type="application/json"
        )
        assert answered.code == code


async def test_more_cores_than_can_be_told_cost_no_other_site_anything(tmp_path: Path) -> None:
    """Neither what the board says is refused by the bridge, nor what is made of an override."""
    assert answer.MOST_CORES == MOST_CORES
    async with steered(tmp_path) as service:
        service.board.set(SITES[1], core_cpu_intensive=MOST_CORES, core_io_intensive=MOST_CORES)
        async with service.store.adding() as connection:
            override = Override(
                SITES[2], None, None, MOST_CORES + 1, None, "latched", None, "r", "/CN=x", NOW, 1
            )
            await make_change(
                connection,
                OverrideChange(1, NOW, "/CN=x", "put", (SpotChange(SITES[2], None, None, override),)),
            )
        await service.cycles()
        states, slots = await service.ask(STATES), await service.ask(SLOTS)
        assert answer.read(STATES, states.body, service.now).sites.keys() == set(SITES)
        read = answer.read(SLOTS, slots.body, service.now).sites
        assert {name: read[name].core_cpu_intensive for name in SITES[:3]} == {  # type: ignore[union-attr]
            SITES[0]: 1000,
            SITES[1]: MOST_CORES,
            SITES[2]: MOST_CORES,
        }
        told = (await service.read(f"/api/agents/{AGENT}/control"))["sites"]
        assert told[SITES[2]]["reason"] == f"r (/CN=x); no more than {MOST_CORES} cores can be told"
        assert told[SITES[1]]["reason"] is None


async def test_weights_share_the_sites_of_a_team(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        said = {"weight": 0, "reason": "it is to be upgraded"}
        assert (await service.write(f"/api/agents/{AGENT}/weight", said, "PUT")).code == 204
        await service.cycles()
        assert await service.told() == dict.fromkeys(SITES, ("drain", 50, 25))
        (entry,) = (await service.read("/api/journal?kind=weight"))["entries"]
        assert (entry["agent"], entry["new"], entry["cause"]) == (AGENT, {"weight": 0}, said["reason"])
        assert (
            await service.write(f"/api/agents/{AGENT}/weight", {**said, "weight": None}, "PUT")
        ).code == 204
        await service.cycles()
        assert await service.told() == dict.fromkeys(SITES, GOOD)


@pytest.mark.parametrize("weight", [-1, 1001, "much", True])
async def test_a_weight_that_is_none_is_refused(tmp_path: Path, weight: object) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        answered = await service.write(
            f"/api/agents/{AGENT}/weight", {"weight": weight, "reason": "r"}, "PUT"
        )
        assert answered.code == 422
        unknown = await service.write("/api/agents/nobody/weight", {"weight": 1, "reason": "r"}, "PUT")
        assert unknown.code == 404


async def test_who_waits_is_told_of_the_next_version(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        path = f"/api/agents/{AGENT}/control"
        version = (await service.read(path))["version"]
        assert (await service.read(f"{path}?wait=60&version={version - 1}"))["version"] == version
        waiting = asyncio.create_task(service.read(f"{path}?wait=60&version={version}"))
        service.board.set(SITES[0], prod_status="drain")
        await service.cycles()
        document = await waiting
        assert document["version"] == version + 1
        assert document["sites"][SITES[0]]["state"] == "Draining"


async def test_the_end_of_a_worker_ends_waiting(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        path = f"/api/agents/{AGENT}/control"
        version = (await service.read(path))["version"]
        waiting = asyncio.create_task(service.read(f"{path}?wait=60&version={version}"))
        await service.served.until(lambda: service.served.server.live)
        service.served.context.stop.set()
        async with asyncio.timeout(300):
            assert (await waiting)["version"] == version


async def test_an_agent_that_stops_asking_and_one_that_does_not_do_it_are_found(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        service.board.set(SITES[0], prod_status="drain")
        await service.cycles(2)
        for _ in range(2):
            await service.told()
            await service.cycles(16)
        snapshot = await service.cycles(4)
        found = {
            (one.kind, one.agent, one.site): one.message
            for one in snapshot.findings
            if one.kind.startswith("agent_") and one.kind != "agent_silent"
        }
        message = found["agent_disobeys", AGENT, SITES[0]]
        assert "state is Normal, served was Draining" in message
        assert not [key for key in found if key[0] == "agent_not_asking"]
        snapshot = await service.cycles(20)
        assert [one.agent for one in snapshot.findings if one.kind == "agent_not_asking"] == [AGENT]


@pytest.mark.parametrize("by", [7200.0, -7200.0])
async def test_a_clock_that_is_set_makes_no_agent_silent_and_keeps_none_from_it(
    tmp_path: Path, by: float
) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        await service.told()
        for seconds in (0.0, by):
            service.now += seconds
            service.cycle.ahead += seconds
            snapshot = await service.cycles(5)  # as long as a finding may wait before it is raised
            assert not [one for one in snapshot.findings if one.kind == "agent_not_asking"], seconds
        snapshot = await service.cycles(32)
        assert [one.agent for one in snapshot.findings if one.kind == "agent_not_asking"] == [AGENT]


async def test_a_weight_at_a_site_that_does_not_exist_is_refused_and_can_be_ended(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await service.cycles()
        path, said = f"/api/agents/{AGENT}/weight", {"weight": 0, "site": "nosuch", "reason": "x"}
        refused = await service.write(path, said, "PUT")
        assert refused.code == 404
        assert json.loads(refused.body)["detail"] == "There is no site 'nosuch' in the snapshot."
        assert (await service.read("/api/journal?kind=weight"))["entries"] == []
        assert (await service.write(path, {**said, "site": SITES[0]}, "PUT")).code == 204
        assert (await service.write(path, {**said, "weight": None}, "PUT")).code == 204


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        ("", "in mode observe. "),
        (f'[agents.{AGENT}]\nmode = "control"\n', f"in mode observe, but {AGENT} in mode control. "),
        (
            f'{CONTROL}[agents.{AGENT}]\nmode = "observe"\n[agents.{OTHER}]\nmode = "advise"\n',
            f"in mode control, but {AGENT} in mode observe, but {OTHER} in mode advise. ",
        ),
    ],
)
async def test_the_page_of_the_quarantine_says_who_is_steered_otherwise(
    tmp_path: Path, control: str, expected: str
) -> None:
    async with steered(tmp_path, control) as service:
        await service.cycles()
        page = await service.served.ask("/quarantine", "reader", Accept="text/html")
        assert f"Agents are steered {expected}" in re.sub("<[^>]*>", "", page.body.decode())


async def test_an_agent_that_does_not_exist_is_not_said_to_be_observed(tmp_path: Path) -> None:
    """One that the control file names is there for all that, whether or not anybody has heard of it."""
    file = '[agents.early]\nmode = "control"\n[agents.observed]\nmode = "observe"\n'
    async with steered(tmp_path, file) as service:
        await service.cycles()
        for agent, words in (
            ("nosuch", "There is no agent 'nosuch' now."),
            ("observed", "Agent 'observed' is only observed"),
            (AGENT, f"Agent '{AGENT}' is only observed"),
        ):
            refused = await service.served.ask(f"/api/agents/{agent}/control", "reader")
            assert (refused.code, json.loads(refused.body)["detail"][: len(words)]) == (404, words)
        assert (await service.read("/api/agents/early/control"))["mode"] == "control"
