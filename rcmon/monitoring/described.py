"""The descriptions as they stand in this folder's TOML files."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field

HERE = Path(__file__).parent
T = TypeVar("T")

Words = Annotated[str, Meta(min_length=1)]
Lines = Annotated[tuple[Words, ...], Meta(min_length=1)]


class Alert(Struct, frozen=True, forbid_unknown_fields=True):
    """One alert: when it is raised, what is said of it, and what to do then."""

    name: Words
    group: Words
    expr: Words
    severity: Literal["critical", "warning"]
    """critical: somebody is woken; warning: somebody looks today."""
    scope: Literal["service", "source", "agent", "grid"]
    """What it speaks of: what is wrong above it inhibits it."""
    summary: Words
    """One line, a template of Prometheus."""
    meaning: Words
    look: Lines
    do: Lines
    lasting: str = field(default="", name="for")
    """How long it must hold, as Prometheus writes it; empty: at once."""
    runbook: str = ""
    """Name of the page to look up, a template; empty: its own."""


class Recording(Struct, frozen=True, forbid_unknown_fields=True):
    """One recording rule."""

    record: Words
    expr: Words


class FindingGuide(Struct, frozen=True, forbid_unknown_fields=True):
    """What to do about one kind of finding."""

    meaning: Words
    """The kind's own sentence."""
    look: Lines
    do: Lines


class PanelQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """One query of a panel."""

    expr: Words
    legend: str = ""
    """A template of Grafana's; empty: Grafana's own."""


class PanelDescribed(Struct, frozen=True, forbid_unknown_fields=True):
    """One panel of a dashboard: one query, or several."""

    title: Words
    kind: Literal["timeseries", "stat", "table", "bargauge"] = "timeseries"
    expr: str = ""
    legend: str = ""
    queries: tuple[PanelQuery, ...] = ()
    description: str = ""
    unit: str = "short"
    """As Grafana calls it."""
    width: int = 0
    """Of 24; 0: what the others leave, divided."""
    stacked: bool = False
    text: bool = False
    """Whether a stat shows what its query's legend says, and not a number."""
    page: str = ""
    """Where a click leads, below rcmon's address; `{name}` is a label."""
    empty: str = ""
    """Why it may have nothing to show; none: it always has something."""

    @property
    def asked(self) -> tuple[PanelQuery, ...]:
        """Every query."""
        return self.queries or (PanelQuery(self.expr, self.legend),)


class RowDescribed(Struct, frozen=True, forbid_unknown_fields=True):
    """Panels beside each other."""

    title: Words
    height: int
    panel: Annotated[tuple[PanelDescribed, ...], Meta(min_length=1)]


class DashboardDescribed(Struct, frozen=True, forbid_unknown_fields=True):
    """One dashboard."""

    name: Words
    title: Words
    description: Words
    page: Words
    """Rcmon's own page of the same, below its address; `$name` is a variable."""
    variables: tuple[Literal["agent", "site"], ...]
    row: Annotated[tuple[RowDescribed, ...], Meta(min_length=1)]


def alerts() -> tuple[Alert, ...]:
    """Give every alert, in order."""
    return msgspec.convert(_table("alerts.toml")["alert"], tuple[Alert, ...])


def recordings() -> tuple[Recording, ...]:
    """Give every recording rule, in order."""
    return msgspec.convert(_table("recording.toml")["rule"], tuple[Recording, ...])


def finding_guides() -> Mapping[str, FindingGuide]:
    """Give what to do about each kind of finding."""
    return msgspec.convert(_table("findings.toml"), dict[str, FindingGuide])


def dashboards() -> tuple[DashboardDescribed, ...]:
    """Give every dashboard, in order."""
    return msgspec.convert(_table("dashboards.toml")["dashboard"], tuple[DashboardDescribed, ...])


def _table(name: str) -> Mapping[str, Any]:
    return tomllib.loads((HERE / name).read_text())
