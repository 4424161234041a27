"""The runbooks: what each alert and each kind of finding means, where to look, what to do."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from rcmon.monitoring.described import alerts, finding_guides


class Runbook(Struct, frozen=True):
    """One page."""

    name: str
    kind: Literal["alert", "finding"]
    meaning: str
    look: tuple[str, ...]
    do: tuple[str, ...]
    severity: str = ""
    """Of an alert; a finding says its own."""
    expr: str = ""
    """When an alert is raised; empty: it is a finding."""
    lasting: str = ""
    """How long that must hold; empty: at once."""


def runbooks() -> Mapping[str, Runbook]:
    """Give every page by its name: the alerts in their order, then the findings by name."""
    pages = [
        Runbook(one.name, "alert", one.meaning, one.look, one.do, one.severity, one.expr.strip(), one.lasting)
        for one in alerts()
    ]
    pages += [
        Runbook(kind, "finding", guide.meaning, guide.look, guide.do)
        for kind, guide in sorted(finding_guides().items())
    ]
    return {page.name: page for page in pages}
