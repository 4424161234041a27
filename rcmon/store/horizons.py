"""How far back history goes, and how fine: kept in the store, since every process and replica must know."""

from collections.abc import Mapping

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.store.tables import ABOUT

NEVER = float("-inf")
"""In place of a time: nothing was taken away yet."""


class Horizons(Struct, frozen=True):
    """Times in seconds since the epoch; NEVER before the first."""

    packed: float = NEVER
    """What is older may be packed; nothing later is."""
    raw: float = NEVER
    """Since when every change is kept; before, only what held at each quarter of an hour."""
    kept: float = NEVER
    """Since when history is whole; before, only what has held since is left."""


def read_horizons(connection: Connection) -> Horizons:
    """Read them."""
    names = {f"history_{name}": name for name in Horizons.__struct_fields__}
    found = select(ABOUT.c.key, ABOUT.c.value).where(ABOUT.c.key.in_(names))
    values: Mapping[str, float] = {names[row.key]: float(row.value) for row in connection.execute(found)}
    return Horizons(**values)


async def set_horizon(connection: AsyncConnection, name: str, time: float) -> None:
    """Set one, by its field's name."""
    key = f"history_{name}"
    await connection.execute(delete(ABOUT).where(ABOUT.c.key == key))
    await connection.execute(insert(ABOUT), {"key": key, "value": repr(time)})
