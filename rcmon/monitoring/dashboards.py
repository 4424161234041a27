"""Grafana's dashboards, written from the descriptions: JSON as Grafana 10 and later import it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rcmon.monitoring.described import DashboardDescribed, PanelDescribed, RowDescribed

SCHEMA = 39
"""Of Grafana 10.4; later ones bring it to theirs when they import it."""
COLUMNS = 24
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_VARIABLES: Mapping[str, tuple[str, bool]] = {
    "agent": ("label_values(rcmon_agent_info, agent)", True),
    "site": ("label_values(rcmon_site_info, site)", False),
}
"""What a variable is chosen from, and whether several may be, or all."""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def dashboard(described: DashboardDescribed, url: str) -> str:
    """Write one dashboard; `url` is where people reach rcmon."""
    page = re.sub(r"\$(\w+)", r"${\1}", described.page)
    made = {
        "uid": f"rcmon-{described.name}",
        "title": described.title,
        "description": described.description,
        "tags": ["rcmon"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "timezone": "",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [_source(), *map(_variable, described.variables)]},
        "annotations": {"list": [_alerts()]},
        "links": [
            _link("rcmon", f"{url}{page}"),
            _link("runbooks", f"{url}/runbooks"),
            {**_link("dashboards", ""), "type": "dashboards", "tags": ["rcmon"], "asDropdown": True,
             "includeVars": True, "keepTime": True},
        ],
        "panels": list(_panels(described.row, url)),
    }  # fmt: skip
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _link(title: str, url: str) -> dict[str, Any]:
    return {"title": title, "type": "link", "url": url, "targetBlank": True, "icon": "external link"}


def _source() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _variable(name: str) -> dict[str, Any]:
    query, several = _VARIABLES[name]
    made = {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": several,
        "includeAll": several,
    }
    return made | ({"allValue": ".+", "current": {"text": "All", "value": "$__all"}} if several else {})


def _alerts() -> dict[str, Any]:
    """Mark when a critical alert fired."""
    return {
        "name": "critical alerts",
        "enable": True,
        "datasource": _SOURCE,
        "expr": 'ALERTS{alertstate="firing", severity="critical"}',
        "step": "60s",
        "titleFormat": "{{alertname}} {{agent}}",
        "iconColor": "red",
    }


def _panels(rows: Sequence[RowDescribed], url: str) -> Iterator[dict[str, Any]]:
    """Lay rows out from above."""
    number, y = 1, 0
    for row in rows:
        yield {
            "id": number, "type": "row", "title": row.title, "collapsed": False, "panels": [],
            "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": y},
        }  # fmt: skip
        y += 1
        x = 0
        for panel, width in zip(row.panel, widths(row.panel), strict=True):
            number += 1
            yield _panel(panel, url) | {
                "id": number,
                "gridPos": {"h": row.height, "w": width, "x": x, "y": y},
            }
            x += width
        number += 1
        y += row.height


def widths(panels: Sequence[PanelDescribed]) -> list[int]:
    """Divide a row: what its panels do not say; the last ones get what is left over."""
    free = [panel for panel in panels if not panel.width]
    left = COLUMNS - sum(panel.width for panel in panels)
    shares = [(left + number) // len(free) for number in range(len(free))]
    return [panel.width or shares.pop(0) for panel in panels]


def _panel(panel: PanelDescribed, url: str) -> dict[str, Any]:
    links = [{"title": "rcmon", "url": url + _filled(panel), "targetBlank": True}] if panel.page else []
    defaults: dict[str, Any] = {"unit": panel.unit, "links": links, "custom": _custom(panel)}
    if panel.kind == "timeseries":
        defaults["min"] = 0
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description or panel.empty.capitalize(),
        "datasource": _SOURCE,
        "targets": [
            _target(panel, letter, one.expr, one.legend)
            for letter, one in zip(_LETTERS, panel.asked, strict=False)
        ],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(panel),
        "transformations": _transformations(panel),
    }


def _filled(panel: PanelDescribed) -> str:
    """Name the labels of what is clicked as Grafana does: columns of a table are fields."""
    how = r"${__data.fields.\1}" if panel.kind == "table" else r"${__field.labels.\1}"
    return re.sub(r"\{(\w+)\}", how, panel.page)


def _target(panel: PanelDescribed, letter: str, expr: str, legend: str) -> dict[str, Any]:
    now = panel.kind != "timeseries"
    return {
        "refId": letter,
        "datasource": _SOURCE,
        "editorMode": "code",
        "expr": expr,
        "legendFormat": legend or "__auto",
        "instant": now,
        "range": not now,
        "format": "table" if panel.kind == "table" else "time_series",
    }


def _custom(panel: PanelDescribed) -> dict[str, Any]:
    if panel.kind != "timeseries":
        return {}
    return {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 60 if panel.stacked else 0,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
    }


def _options(panel: PanelDescribed) -> dict[str, Any]:
    last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if panel.kind == "timeseries":
        legend = {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull"], "showLegend": True}
        return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    if panel.kind == "stat":
        shown = "name" if panel.text else "value"
        return {"reduceOptions": last, "textMode": shown, "colorMode": "none", "graphMode": "none"}
    if panel.kind == "bargauge":
        return {"reduceOptions": last, "orientation": "horizontal", "displayMode": "basic"}
    return {"showHeader": True, "cellHeight": "sm", "footer": {"show": False}}


def _transformations(panel: PanelDescribed) -> list[dict[str, Any]]:
    """Leave out of a table what says nothing: when it was asked, and the 1 of what is so."""
    if panel.kind != "table":
        return []
    named = {"excludeByName": {"Time": True}, "renameByName": {"Value": "number"}}
    return [{"id": "organize", "options": named}]
