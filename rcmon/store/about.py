"""Whose store it is: so that nobody goes on from somebody else's data."""

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import StoreForeignError
from rcmon.store.tables import ABOUT

PRODUCTION, DEMO = "production", "demo"
"""Who may own a store."""
_OWNER = "owner"


async def claim(connection: AsyncConnection, owner: str, place: str) -> None:
    """Take a store that is nobody's yet for `owner`. Raises StoreForeignError where it is another's."""
    of = select(ABOUT.c.value).where(ABOUT.c.key == _OWNER)
    theirs: str | None = (await connection.execute(of)).scalar_one_or_none()
    if theirs is None:
        await connection.execute(insert(ABOUT), {"key": _OWNER, "value": owner})
    elif theirs != owner:
        raise StoreForeignError(
            f"{place} is the store of {theirs}, and this is {owner}: name another one with --database"
            " or --state-dir, or move that one away"
        )
