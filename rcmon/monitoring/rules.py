"""The rule files of Prometheus and vmalert, written from the descriptions."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from rcmon.monitoring.described import Alert, Recording

URL = "https://rcmon.example.org:5000/wm_resource_monitor"
"""Where the service lives, for links in notifications; whoever installs the rules puts his own there."""
HEAD = "# Written by `python -m rcmon.monitoring`, from rcmon/monitoring/{}: change that.\n"


def alert_rules(alerts: Sequence[Alert], url: str = URL) -> str:
    """Write the file of alerts; they come group by group."""
    return "".join([HEAD.format("alerts.toml"), "groups:\n", *_alerts(alerts, url)])


def recording_rules(recordings: Sequence[Recording]) -> str:
    """Write the file of recording rules."""
    rules = (
        f"      - record: {one.record}\n        expr: {_expression(one.expr, 10)}\n" for one in recordings
    )
    return "".join([HEAD.format("recording.toml"), "groups:\n  - name: rcmon-sums\n    rules:\n", *rules])


def _alerts(alerts: Sequence[Alert], url: str) -> Iterator[str]:
    for group, members in groupby(alerts, lambda alert: alert.group):
        yield f"  - name: {group}\n    rules:\n"
        for alert in members:
            yield from _alert(alert, url)


def _alert(alert: Alert, url: str) -> Iterator[str]:
    yield f"      - alert: {alert.name}\n        expr: {_expression(alert.expr, 10)}\n"
    if alert.lasting:
        yield f"        for: {alert.lasting}\n"
    yield f"        labels: {{severity: {alert.severity}, scope: {alert.scope}}}\n        annotations:\n"
    yield f"          summary: {_quoted(alert.summary)}\n"
    yield f"          description: {_quoted(alert.meaning)}\n"
    yield f"          runbook_url: {_quoted(f'{url}/runbooks/{alert.runbook or alert.name}')}\n"


def _quoted(text: str) -> str:
    """Write a text as JSON, which YAML reads as it is."""
    return json.dumps(text, ensure_ascii=False)


def _expression(text: str, indent: int) -> str:
    """Write an expression on one line as it is, on several as a block."""
    lines = text.strip().splitlines()
    if len(lines) == 1:
        return _quoted(lines[0]) if set(lines[0]) & set("{}:#") else lines[0]
    return "|-\n" + "\n".join(" " * indent + line for line in lines)
