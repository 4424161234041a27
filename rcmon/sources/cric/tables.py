"""The catalogue's tables, and what they say of each processing site."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from msgspec import Struct

from rcmon.errors import SourceError
from rcmon.model import SiteNames
from rcmon.sources.http import json_of
from rcmon.sources.plausible import Column, DocumentValues, UnreadableRowError

_NAME = Column("cric_row_unreadable", "a name of 1 to 255 characters", 1, 255)
COLUMNS: Mapping[str, Column] = dict.fromkeys(
    ("alias", "phedex_name", "psn_name", "site_name", "type"), _NAME
)
"""The columns that are read."""
NAMES, PROCESSING = "site-names", "data-processing"
NEEDED: Mapping[str, tuple[str, ...]] = {
    NAMES: ("type", "site_name", "alias"),
    PROCESSING: ("psn_name", "phedex_name"),
}
"""Columns of each table (CRIC's presets, as WMCore.Services.CRIC reads them)."""

Read = TypeVar("Read")
Table = list[list[Any]]
"""Rows, with the needed columns in their order; a row that is too short is given as it is."""


class _Description(Struct):
    columns: list[str]


class _Listed(Struct):
    desc: _Description
    result: list[Any]


def table_of(preset: str, content: bytes) -> Table:
    """Read a table. Raises SourceError for one without a needed column, or without a row."""
    listed = json_of(content, _Listed)
    missing = [column for column in NEEDED[preset] if column not in listed.desc.columns]
    if missing:
        raise SourceError(f"{preset} has no column {missing[0]!r}; it has {str(listed.desc.columns)[:200]}")
    if not listed.result:
        raise SourceError(f"{preset} holds no row")
    places = [listed.desc.columns.index(column) for column in NEEDED[preset]]
    width = len(listed.desc.columns)
    return [
        [row[place] for place in places] if isinstance(row, list) and len(row) == width else []
        for row in listed.result
    ]


def site_names(tables: Mapping[str, Table], values: DocumentValues) -> dict[str, SiteNames]:
    """Say what each processing site is called and reads from, sorted by its name.

    A processing site and a CMS site belong together by the site that both are names of.
    """
    of_site: dict[str, set[str]] = {}
    site_of: dict[str, str] = {}
    for kind, site, alias in _rows(NAMES, tables, values):
        if kind == "cms":
            of_site.setdefault(site, set()).add(alias)
        elif kind == "psn":
            site_of[alias] = site
    pnns: dict[str, set[str]] = {}
    for psn, pnn in _rows(PROCESSING, tables, values):
        pnns.setdefault(psn, set()).add(pnn)
    if not site_of and not pnns:
        raise SourceError("neither table names a processing site")
    return {
        psn: SiteNames(
            _cms_name(psn, of_site.get(site_of.get(psn, ""), set()), values),
            tuple(sorted(pnns.get(psn, ()))),
        )
        for psn in sorted({*site_of, *pnns})
    }


def _cms_name(psn: str, names: set[str], values: DocumentValues) -> str | None:
    """Choose a processing site's CMS name: its own where that is among them."""
    if psn in names:
        return psn
    if len(names) > 1:
        values.findings.note("cric_cms_name_ambiguous", f"names are {', '.join(sorted(names))}", site=psn)
        return None
    return next(iter(names), None)


def _rows(preset: str, tables: Mapping[str, Table], values: DocumentValues) -> Iterator[list[str]]:
    """Give the rows that can be read; the others are one finding."""
    lost, first = 0, ""
    for row in tables[preset]:
        try:
            yield _read(NEEDED[preset], row, values.name)
        except UnreadableRowError as error:
            lost, first = lost + 1, first or str(error)
    message = f"rows of {preset} that cannot be read, the first because {first}"
    values.findings.note("cric_row_unreadable", message, count=lost)


def _read(columns: tuple[str, ...], row: list[Any], name: Callable[[str, Any], str]) -> list[str]:
    if len(row) != len(columns):
        raise UnreadableRowError("it has not as many values as there are columns")
    return [name(column, value) for column, value in zip(columns, row, strict=True)]
