"""All sites in short: a row for each, and for each a square in every row of both maps."""

from msgspec import json, structs

from rcmon.documents import keys
from rcmon.documents.deflated import inflate
from rcmon.documents.overview import OverviewDocument
from rcmon.model import Snapshot
from rcmon.render import render
from rcmon.render.overview import SHADES
from tests.web.grid import AGENTS, DIFFERING, SITES, STATELESS, TASKS, make_snapshot


def overview(snapshot: Snapshot) -> OverviewDocument:
    found = {document.key: document for document in render(snapshot)}
    return json.decode(inflate(found[keys.OVERVIEW]), type=OverviewDocument)


def test_every_site_has_a_row_and_a_square_in_every_row_of_the_maps() -> None:
    seen = overview(make_snapshot())
    assert [site.name for site in seen.sites] == SITES
    assert [row.name for row in seen.agents] == sorted(AGENTS)
    assert [row.name for row in seen.tasks] == sorted(TASKS)
    for row in (*seen.agents, *seen.tasks):
        assert len(row.shades) == len(row.reasons) == len(SITES)
        assert set(row.shades) <= seen.shades.keys() == SHADES.keys()
        assert set(row.reasons) <= {*seen.reasons, "-"}


def test_agents_are_named_where_they_differ_and_what_is_not_known_is_null() -> None:
    rows = {site.name: site for site in overview(make_snapshot()).sites}
    assert rows["T1_US_FNAL"].states == {"Normal": []}
    assert set(rows[next(iter(DIFFERING))].states) == {"Normal", "Draining"}
    assert (rows[STATELESS].states, rows[STATELESS].running_slots) == ({}, None)


def test_a_square_of_an_agent_without_the_site_is_told_from_one_where_nothing_is_meant_to_run() -> None:
    snapshot = make_snapshot()
    name = AGENTS[0]
    known = {site: seen for site, seen in snapshot.agents[name].sites.items() if site != SITES[0]}
    known[SITES[1]] = structs.replace(known[SITES[1]], tasks={})
    agents = snapshot.agents | {name: structs.replace(snapshot.agents[name], sites=known)}
    shades = overview(structs.replace(snapshot, agents=agents)).agents[0].shades
    assert shades[:2] == ".n"
