"""Every kind that asks a web service, with a sound one's answers: a further kind is a line in `CASES`."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from rcmon.sources.base import FileOrFolder, Source
from rcmon.sources.cric import CRICConfig, CRICSource
from rcmon.sources.ssb import SSBConfig, SSBSource
from rcmon.sources.wmstats import WMStatsConfig, WMStatsSource

SITES = [f"T2_XX_Site{number:02d}" for number in range(20)]


class Case(Struct, frozen=True):
    """One kind."""

    name: str
    make: Callable[[str, Path | None], Source]
    """Make a source of a service's address and a file of authorities."""
    good: Callable[[bytes, bytes, Sequence[str]], Any]
    """Answer a request, given its head and body, for these sites; what is given is written as JSON."""
    empty: Any
    """What a service answers that knows nothing."""
    remembers: bool = True
    """Whether the kind refuses a poll that holds much less than the one before."""


def hit(name: str, when: float, **data: Any) -> dict[str, Any]:
    return {"_source": {"data": {"name": name, **data}}, "sort": [int(when * 1000)]}


def searched(rows: Any, /, **more: Any) -> dict[str, Any]:
    return {"responses": [{"hits": {"hits": rows}, "status": 200} | more]}


def ssb(_head: bytes, body: bytes, sites: Sequence[str]) -> Any:
    now = time.time()
    if b"sts15min" in body:
        return searched([hit(site, now - 3600, prod_status="enabled", detail="") for site in sites])
    return searched([hit(site, now - 3600, core_cpu_intensive=100, core_io_intensive=50) for site in sites])


def cric(head: bytes, _body: bytes, sites: Sequence[str]) -> Any:
    if b"preset=site-names" in head:
        columns = ["type", "site_name", "alias"]
        rows = [[kind, f"{site} facility", site] for site in sites for kind in ("cms", "psn")]
    else:
        columns = ["phedex_name", "psn_name", "site_name"]
        rows = [[f"{site}_Disk", site, f"{site} facility"] for site in sites]
    return {"desc": {"columns": columns}, "result": rows}


EMPTY_TABLE = {"desc": {"columns": ["type", "site_name", "alias", "psn_name", "phedex_name"]}, "result": []}


def make_ssb(url: str, ca: Path | None = None) -> SSBSource:
    return SSBSource(
        SSBConfig(name="s", url=url, ca=None if ca is None else FileOrFolder(ca), dataset="9475")
    )


def make_cric(url: str, ca: Path | None = None) -> CRICSource:
    return CRICSource(CRICConfig(name="s", url=url, ca=None if ca is None else FileOrFolder(ca)))


def wmstats(_head: bytes, _body: bytes, sites: Sequence[str]) -> Any:
    """Every name of a site stands for an agent's host."""
    now = int(time.time()) - 100
    return {
        "total_rows": len(sites),
        "offset": 0,
        "rows": [
            {
                "id": host,
                "key": host,
                "value": {"agent_url": host, "timestamp": now, "agent_team": "production"},
            }
            for host in sites
        ],
    }


def make_wmstats(url: str, ca: Path | None = None) -> WMStatsSource:
    return WMStatsSource(WMStatsConfig(name="s", url=url, ca=None if ca is None else FileOrFolder(ca)))


CASES = [
    Case("ssb", make_ssb, ssb, searched([])),
    Case("cric", make_cric, cric, EMPTY_TABLE),
    Case("wmstats", make_wmstats, wmstats, {"rows": []}),
]


def whole(case: Case, head: bytes, body: bytes, sites: Sequence[str] = SITES) -> bytes:
    """Write a sound answer's body."""
    return json.dumps(case.good(head, body, sites)).encode()
