"""Reading rows within one transaction and one span of time."""

import re
import time
from collections.abc import Sequence
from typing import Any, TypeAlias

from sqlalchemy import CursorResult
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import SourceError
from rcmon.sources.database.cutting import run_or_cut
from rcmon.sources.database.driver import MISUNDERSTOOD, DatabaseLink

Row: TypeAlias = Sequence[Any]

_OTHER_SCHEMA = re.compile(
    r"no such (table|column)|doesn't exist|unknown column|does not exist|ORA-00942|ORA-00904", re.IGNORECASE
)


class DatabaseReader:
    """Runs statements one after the other; together they may take until `deadline` (time.monotonic())."""

    def __init__(self, connection: AsyncConnection, link: DatabaseLink, deadline: float) -> None:
        self._connection = connection
        self._link = link
        self._deadline = deadline

    async def begin(self) -> None:
        """Begin the read-only transaction."""
        for statement in self._link.begin:
            await self._run(statement)

    async def rows(self, name: str, sql: str) -> Sequence[Row]:
        """Run a statement and give all its rows; `name` is what a message calls it.

        Raises SourceError where the database refuses it, or has not answered in time.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise SourceError(f"no time was left to read {name}")
        *before, last = self._link.bounded(sql, left)
        try:
            for statement in before:
                await self._run(statement)
            result = await self._run(last)
        except DBAPIError as error:
            raise SourceError(self._why(name, error)) from error
        except MISUNDERSTOOD as error:
            what = type(error).__name__
            raise SourceError(f"cannot read {name}: the driver cannot make out the answer: {what}") from error
        return result.all()

    async def _run(self, sql: str) -> CursorResult[Any]:
        return await run_or_cut(self._connection.exec_driver_sql(sql), self._link.discard)

    def _why(self, name: str, error: DBAPIError) -> str:
        text = reason(error)
        if time.monotonic() >= self._deadline:
            return f"reading {name} was stopped because time was up: {text}"
        if _OTHER_SCHEMA.search(text):
            return f"cannot read {name}: the schema is not the one known of a WMAgent: {text}"
        return f"cannot read {name}: {text}"


def reason(error: BaseException) -> str:
    """Say in one line what a driver says."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    match cause.args:
        case (int(code), str(text)):
            message = f"{text} ({code})"
        case _:
            message = re.sub(r"^<class '[^']*'>: ", "", str(cause))
    return " ".join(message.split()) or type(cause).__name__
