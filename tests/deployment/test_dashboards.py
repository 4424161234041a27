"""Dashboards: as Grafana imports them, of metrics and labels that there are, and linked to real pages."""

import json
import re
from itertools import combinations
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from rcmon.collector import findings
from rcmon.monitoring.dashboards import dashboard, widths
from rcmon.monitoring.described import PanelDescribed, alerts, dashboards, recordings
from rcmon.monitoring.rules import URL
from rcmon.monitoring.runbooks import runbooks
from rcmon.render.families.table import FAMILIES as SNAPSHOT_FAMILIES
from rcmon.web.app import TABLE
from rcmon.web.telemetry.told import FAMILIES as OWN_FAMILIES

PROMETHEUS = {"up", "scrape_samples_scraped", "ALERTS"}
LABELS = {"ALERTS": {"alertname", "alertstate", "severity", "scope"}}
Text = Annotated[str, Meta(min_length=1)]


class Source(Struct, forbid_unknown_fields=True):
    type: Literal["prometheus"]
    uid: Literal["${datasource}"]


class Place(Struct, forbid_unknown_fields=True):
    h: Annotated[int, Meta(ge=1)]
    w: Annotated[int, Meta(ge=3, le=24)]
    x: Annotated[int, Meta(ge=0, le=23)]
    y: Annotated[int, Meta(ge=0)]


class Target(Struct, forbid_unknown_fields=True):
    refId: Annotated[str, Meta(pattern="^[A-Z]$")]  # noqa: N815 - Grafana's
    datasource: Source
    editorMode: Literal["code"]  # noqa: N815
    expr: Text
    legendFormat: Text  # noqa: N815
    instant: bool
    range: bool
    format: Literal["table", "time_series"]


class Row(Struct, forbid_unknown_fields=True, tag_field="type", tag="row"):
    id: int
    title: Text
    collapsed: Literal[False]
    panels: Annotated[list[Any], Meta(max_length=0)]
    gridPos: Place  # noqa: N815


class Panel(Struct, forbid_unknown_fields=True, tag_field="type"):
    id: int
    title: Text
    description: str
    datasource: Source
    targets: Annotated[list[Target], Meta(min_length=1)]
    fieldConfig: dict[Literal["defaults", "overrides"], Any]  # noqa: N815
    options: dict[str, Any]
    transformations: list[dict[Literal["id", "options"], Any]]
    gridPos: Place  # noqa: N815


class TimeSeries(Panel, tag="timeseries"):
    pass


class Stat(Panel, tag="stat"):
    pass


class Table(Panel, tag="table"):
    pass


class Bars(Panel, tag="bargauge"):
    pass


class Listed(Struct):
    list: list[dict[str, Any]]


class Dashboard(Struct, forbid_unknown_fields=True):
    """What Grafana 10 and later read of a dashboard; its `id` is Grafana's own to give."""

    uid: Annotated[str, Meta(pattern="^[a-z-]{1,40}$")]
    title: Text
    description: Text
    tags: list[str]
    schemaVersion: Annotated[int, Meta(ge=38)]  # noqa: N815
    version: int
    editable: bool
    graphTooltip: Literal[0, 1, 2]  # noqa: N815
    refresh: str
    timezone: Literal["", "utc", "browser"]
    time: dict[Literal["from", "to"], str]
    templating: Listed
    annotations: Listed
    links: list[dict[str, Any]]
    panels: list[Row | TimeSeries | Stat | Table | Bars]


MADE = {one.name: dashboard(one, URL) for one in dashboards()}


@pytest.fixture(params=MADE)
def made(request: pytest.FixtureRequest) -> Dashboard:
    return msgspec.json.decode(MADE[request.param], type=Dashboard)


def shown(made: Dashboard) -> list[Panel]:
    return [panel for panel in made.panels if isinstance(panel, Panel)]


def expressions(made: Dashboard) -> list[str]:
    return [target.expr for panel in shown(made) for target in panel.targets]


def test_the_grid_a_site_an_agent_and_the_service_have_one() -> None:
    assert list(MADE) == ["grid", "site", "agent", "service"]
    uids = [json.loads(text)["uid"] for text in MADE.values()]
    assert len(set(uids)) == len(uids)


def test_panels_stand_beside_each_other(made: Dashboard) -> None:
    numbers = [panel.id for panel in made.panels]
    assert len(set(numbers)) == len(numbers)
    for one in made.panels:
        assert one.gridPos.x + one.gridPos.w <= 24
    for one, other in combinations(made.panels, 2):
        a, b = one.gridPos, other.gridPos
        beside = a.x + a.w <= b.x or b.x + b.w <= a.x or a.y + a.h <= b.y or b.y + b.h <= a.y
        assert beside, (one.title, other.title)


def test_rows_are_filled() -> None:
    for described in dashboards():
        for row in described.row:
            assert sum(widths(row.panel)) == 24, row.title


def test_variables_are_those_that_queries_name(made: Dashboard) -> None:
    there = {one["name"] for one in made.templating.list}
    named = set(re.findall(r"\$(\w+)", "".join(expressions(made)))) - {"__rate_interval"}
    assert there == named | {"datasource"}


def test_queries_are_of_metrics_and_labels_that_there_are(made: Dashboard) -> None:
    families = {family.name: set(family.labels) for family in (*SNAPSHOT_FAMILIES, *OWN_FAMILIES)}
    recorded = {one.record for one in recordings()}
    for expr in expressions(made):
        names = set(re.findall(r"(?:[a-z]+:)?\b(?:rcmon|process)_\w+(?::\w+)?", expr))
        assert names or any(name in expr for name in PROMETHEUS), expr
        for name in names:
            plain = name.removesuffix("_bucket")
            assert plain in families or name in recorded, name
        for name, selector in re.findall(r"((?:rcmon|process)_\w+|ALERTS)\{([^}]+)\}", expr):
            if name in families or name in LABELS:
                known = families.get(name) or LABELS[name]
                assert set(re.findall(r"(\w+)(?:=~|!~|!=|=)\"", selector)) <= known, expr


def test_legends_name_labels_that_their_query_keeps(made: Dashboard) -> None:
    recorded = {one.record: one.expr for one in recordings()}
    for panel in shown(made):
        for target in panel.targets:
            named = set(re.findall(r"{{(\w+)}}", target.legendFormat))
            expr = target.expr
            for record, meaning in recorded.items():
                expr = expr.replace(record, meaning)
            kept = {label for by in re.findall(r"by \(([^)]*)\)", expr) for label in by.split(", ")}
            assert named <= kept, (panel.title, named, kept)


def test_links_lead_to_pages_that_there_are(made: Dashboard) -> None:
    routes = [re.sub(r"\{\w+\}", "[^/]+", handler.route) for handler in TABLE]
    urls = [link["url"] for link in made.links if link["type"] == "link"]
    for panel in shown(made):
        urls += [link["url"] for link in panel.fieldConfig["defaults"]["links"]]
    assert len(urls) > 3
    for url in urls:
        path = url.removeprefix(URL)
        assert path != url
        assert any(re.fullmatch(route, path) for route in routes), path
        if found := re.fullmatch(r"/runbooks/(\w+)", path):
            assert found[1] in runbooks()


def test_whatever_is_clicked_in_findings_and_alerts_has_a_runbook() -> None:
    assert {alert.name for alert in alerts()} | set(findings.KINDS) <= set(runbooks())


def test_dashboards_lead_to_the_address_that_is_given() -> None:
    (first, *_) = dashboards()
    text = dashboard(first, "https://mine.example.org/wm_resource_monitor")
    assert "https://mine.example.org/wm_resource_monitor/agents/${__field.labels.agent}" in text
    assert "rcmon.example.org" not in text


def test_a_row_is_divided_among_who_says_nothing() -> None:
    panels = [PanelDescribed("a", width=9), PanelDescribed("b"), PanelDescribed("c")]
    assert widths(panels) == [9, 7, 8]
