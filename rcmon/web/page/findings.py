"""What the page of findings shows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated
from urllib.parse import urlencode

from msgspec import Meta, Struct

from rcmon.documents.shapes import FindingShape
from rcmon.web.about import BASE
from rcmon.web.api.findings import MOST, FindingsSelection, KindGlob
from rcmon.web.api.query import Many
from rcmon.web.page.attention import SEVERITIES
from rcmon.web.page.form import Part, globs


class FindingsPage(FindingsSelection, frozen=True, kw_only=True):
    """What the page of findings is asked; as the API's, but names are written in part and in any case."""

    kind: Many[KindGlob] = ()
    site: Many[Part] = ()
    agent: Many[Part] = ()
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 100

    def wanted(self, **other: object) -> FindingsSelection:
        """Make what the API would be asked."""
        fields = {name: getattr(self, name) for name in FindingsSelection.__struct_fields__}
        return FindingsSelection(**{**fields, "site": globs(self.site), "agent": globs(self.agent), **other})


class Facet(Struct, frozen=True):
    """One choice of a filter, with how many there are of it."""

    word: str
    count: int
    link: str
    chosen: bool


def severities(findings: Iterable[FindingShape], asked: FindingsPage) -> Sequence[Facet]:
    """Count the findings of each severity, all else that is asked left as it is."""
    counts = Counter(one.severity for one in findings)
    return [
        Facet(
            severity,
            counts[severity],
            address(asked, severity="" if asked.severity == (severity,) else severity),
            severity in asked.severity,
        )
        for severity in SEVERITIES
    ]


def kinds(findings: Iterable[FindingShape]) -> Sequence[str]:
    """Name the kinds that there are."""
    return sorted({one.kind for one in findings})


def address(asked: FindingsPage, **other: str) -> str:
    """Write the address of the page with something else asked; what was cut off begins anew."""
    nothing = FindingsPage()
    written: dict[str, str] = {}
    for name in ("severity", "kind", "site", "agent", "since", "acknowledged", "limit"):
        value = getattr(asked, name)
        if value != getattr(nothing, name):
            written[name] = ",".join(value) if isinstance(value, tuple) else str(value)
    written = {name: text for name, text in {**written, **other}.items() if text}
    return f"{BASE}/findings" + (f"?{urlencode(written)}" if written else "")


def by_cause(findings: Sequence[FindingShape]) -> Mapping[str, Sequence[FindingShape]]:
    """Give what each finding stands for, by its id."""
    known = {one.id: one for one in findings}
    return {
        one.id: [known[member] for member in one.members if member in known]
        for one in findings
        if one.members
    }
