"""The ways in which rcmon may answer, the good one among them: all octets of an answer, by name."""

import gzip
import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from msgspec import Struct, structs

from rcmon.bridge.asking import VERSION
from rcmon.model import SiteStatus

DAY = 86_400.0
KEYS = ("prod_status", "core_cpu_intensive", "core_io_intensive")

Rows = list[dict[str, Any]]


class Control(Struct, frozen=True):
    """A valid control document: what an agent may be told."""

    version: int
    time: float
    sites: Mapping[str, tuple[str, int, int]]
    """By name: status, cores for computing, cores for reading and writing."""

    def statuses(self) -> dict[str, SiteStatus]:
        """Say it as our rules read it."""
        return {
            name: SiteStatus(status, None, None, None, cpu, io, None)
            for name, (status, cpu, io) in self.sites.items()
        }

    def rows(self, metric: str) -> Rows:
        """Write the rows of a metric."""
        wanted = slice(1) if metric == "sts15min" else slice(1, 3)
        return [
            {
                "_source": {"data": {"name": name} | dict(zip(KEYS[wanted], values[wanted], strict=True))},
                "sort": [int(self.time * 1000)],
            }
            for name, values in self.sites.items()
        ]


def whole(body: bytes, version: object, status: str = "200 OK", **fields: object) -> bytes:
    """Write a whole answer of rcmon."""
    head: dict[str, object] = {"Content-Type": "application/json", "Content-Length": len(body)}
    head |= {name.replace("_", "-"): value for name, value in fields.items()}
    if version is not None:
        head[VERSION] = version
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"HTTP/1.1 {status}\r\n{lines}Connection: close\r\n\r\n".encode() + body


def shaped(hits: object) -> bytes:
    """Write rows as MonIT does."""
    return json.dumps({"responses": [{"hits": {"hits": hits}}]}).encode()


class Good(Struct, frozen=True):
    """An answer that is good, to be spoilt."""

    control: Control
    metric: str
    rng: Random

    @property
    def rows(self) -> Rows:
        return self.control.rows(self.metric)

    @property
    def body(self) -> bytes:
        return shaped(self.rows)

    def write(self, body: bytes | None = None, status: str = "200 OK", **fields: object) -> bytes:
        """Write it, or another body in its place."""
        return whole(self.body if body is None else body, self.control.version, status, **fields)

    def up_to(self, size: int) -> int:
        """Choose a place."""
        return self.rng.randrange(size)

    def changed(self, change: Callable[[Rows, dict[str, Any], str], object]) -> bytes:
        """Write it with a change, which is given all rows, one of them, and the key that matters there."""
        rows = self.rows
        key = "prod_status" if self.metric == "sts15min" else self.rng.choice(KEYS[1:])
        change(rows, self.rng.choice(rows), key)
        return self.write(shaped(rows))

    def odd(self, key: str) -> bytes:
        """Give one site a value that none can have."""
        return self.changed(
            lambda _, row, found: row["_source"]["data"].update({key or found: self.rng.choice(ODD)})
        )

    def all(self, key: str, value: object) -> bytes:
        """Give all sites a value."""
        return self.changed(lambda rows, *_: [row["_source"]["data"].update({key: value}) for row in rows])

    def aged(self, seconds: float) -> bytes:
        """Write it as of another time."""
        return self.write(
            shaped(structs.replace(self.control, time=self.control.time + seconds).rows(self.metric))
        )


ODD = (None, "unknown", "ENABLED", "", 7.5, True, [], {"a": 1}, "enabled ", -1, 10**12, "40", "NaN")
NAMES = (None, "", 7, "a b", "\0")
SORTS: tuple[object, ...] = ([], None, [0], ["x"], [-5])
ROWS: tuple[object, ...] = (None, 7, [], {}, {"_source": None}, "x")
STATUSES = (201, 203, 204, 206, 301, 302, 400, 401, 403, 404, 409, 429, 500, 502, 503, 504)


def _flipped(good: Good) -> bytes:
    said = good.write()
    at = good.up_to(len(said) - len(good.body))
    return said[:at] + bytes([said[at] ^ (1 << good.up_to(8))]) + said[at + 1 :]


def _left_out(good: Good) -> bytes:
    return good.write(shaped(good.rows[1 + good.up_to(len(good.control.sites)) // 2 :]))


def _twice(rows: Rows, row: dict[str, Any], key: str) -> None:
    other = row["_source"]["data"] | {key: "disabled" if key == "prod_status" else 1}
    rows.append(row | {"_source": {"data": other}})


LEFT_OUT = "sites left out"
"""Only where the bridge knows them: rcmon itself leaves none out."""
HANGS = "hangs"
ANSWERS: Mapping[str, Callable[[Good], bytes | None]] = {
    "good": lambda good: good.write(),
    "good, zipped": lambda good: good.write(gzip.compress(good.body), Content_Encoding="gzip"),
    HANGS: lambda good: None,
    LEFT_OUT: _left_out,
    "cut": lambda good: good.write()[: good.up_to(len(good.write()))],
    "cut in its body": lambda good: good.write()[: -1 - good.up_to(len(good.body) - 1)],
    "half, as if whole": lambda good: good.write(good.body[: good.up_to(len(good.body))]),
    "half a gzip": lambda good: good.write(
        gzip.compress(good.body)[: -1 - good.up_to(30)], Content_Encoding="gzip"
    ),
    "noise": lambda good: good.rng.randbytes(1 + good.up_to(300)),
    "noise as a body": lambda good: good.write(good.rng.randbytes(200)),
    "a flipped bit of the head": _flipped,
    "a login page": lambda good: whole(b"<html>login</html>", None, Content_Type="text/html"),
    "empty": lambda good: good.write(b""),
    "null": lambda good: good.write(b"null"),
    "an error": lambda good: good.write(b'{"responses":[{"error":{"type":"x"}}]}'),
    "no result": lambda good: good.write(b'{"responses":[]}'),
    "two results": lambda good: good.write(good.body.replace(b'{"hits"', b'{"hits":{"hits":[]}},{"hits"', 1)),
    "another status": lambda good: good.write(None, f"{good.rng.choice(STATUSES)} x", Location="/"),
    "no version": lambda good: whole(good.body, None),
    "an odd version": lambda good: whole(good.body, good.rng.choice(("x", "", "-1", "1.5", "9" * 40))),
    "another coding": lambda good: good.write(Content_Encoding="br"),
    "fewer than its total": lambda good: good.write(
        good.body.replace(b'{"hits": [', b'{"total": {"value": 500}, "hits": [', 1)
    ),
    "no site": lambda good: good.write(shaped([])),
    "a value odd": lambda good: good.odd(""),
    "cores odd": lambda good: good.odd("core_io_intensive" if good.metric == "scap15min" else "prod_status"),
    "a key missing": lambda good: good.changed(lambda _, row, key: row["_source"]["data"].pop(key)),
    "all zero": lambda good: good.all(KEYS[good.metric == "scap15min"], 0),
    "all unknown": lambda good: good.all("prod_status", "unknown") if good.metric == "sts15min" else b"",
    "a name odd": lambda good: good.changed(
        lambda _, row, __: row["_source"]["data"].update(name=good.rng.choice(NAMES))
    ),
    "a site twice": lambda good: good.changed(_twice),
    "a time odd": lambda good: good.changed(lambda _, row, __: row.update(sort=good.rng.choice(SORTS))),
    "day-old": lambda good: good.aged(-DAY - 1 - good.up_to(10**7)),
    "of the future": lambda good: good.aged(1000 + good.up_to(10**7)),
    "a row odd": lambda good: good.changed(lambda rows, *_: rows.append(good.rng.choice(ROWS))),
}  # fmt: skip
