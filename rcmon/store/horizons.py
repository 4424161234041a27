"""How far back history goes, and how fine: kept in the store, since every process and replica must know."""

import math
from collections.abc import Mapping

from msgspec import Struct, structs
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.store.tables import ABOUT

NEVER = float("-inf")
"""In place of a time: nothing was taken away yet."""
UNKNOWN = float("inf")
"""In place of a time that cannot be read: anything may be packed, and nothing but quarters be kept."""


class Horizons(Struct, frozen=True):
    """Times in seconds since the epoch; NEVER before the first."""

    packed: float = NEVER
    """What is older may be packed; nothing later is."""
    raw: float = NEVER
    """Since when every change is kept; before, only what held at each quarter of an hour."""
    kept: float = NEVER
    """Since when history is whole; before, only what has held since is left."""


def read_horizons(connection: Connection) -> Horizons:
    """Read them; one that cannot be read is UNKNOWN until upkeep sets it anew.

    `kept` is NEVER then: what is there tells by itself how far back it goes.
    """
    names = {f"history_{name}": name for name in Horizons.__struct_fields__}
    found = select(ABOUT.c.key, ABOUT.c.value).where(ABOUT.c.key.in_(names))
    values: Mapping[str, float] = {names[row.key]: _time(row.value) for row in connection.execute(found)}
    read = Horizons(**values)
    return structs.replace(read, kept=NEVER) if read.kept == UNKNOWN else read


async def set_horizon(connection: AsyncConnection, name: str, time: float) -> None:
    """Set one, by its field's name."""
    key = f"history_{name}"
    await connection.execute(delete(ABOUT).where(ABOUT.c.key == key))
    await connection.execute(insert(ABOUT), {"key": key, "value": repr(time)})


def _time(value: str) -> float:
    try:
        time = float(value)
    except (ValueError, TypeError):
        return UNKNOWN
    return time if math.isfinite(time) else UNKNOWN
