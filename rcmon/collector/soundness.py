"""Whether what a source gave is what the model says, so that one that lies fails alone. Pure."""

import msgspec
from msgspec import structs

from rcmon.errors import writable
from rcmon.model import Agent, Batch
from rcmon.sources.base import Poll

LONGEST_NAME = 200
"""Characters of an agent's name: it names documents, and keys of the store."""
LONGEST_ERROR = 1000
"""Characters of an error that are shown."""


def checked(poll: Poll) -> Poll:
    """Take a poll whose batch is what the model says, down to each number; make it a failed one otherwise.

    So a source that gives something else (a text where a number belongs, what cannot be stored) fails
    alone, instead of failing merge, rendering or storing for all.
    """
    if poll.batch is None:
        return structs.replace(poll, error=shown(poll.error)) if poll.error else poll
    try:
        batch = msgspec.msgpack.decode(msgspec.msgpack.encode(poll.batch), type=Batch)
        for agent in batch.agents:
            _check_name(agent)
    except Exception as error:  # noqa: BLE001 - whatever an object of a source's own does when looked at
        return refused(poll, f"gave something that cannot be used: {error}")
    return structs.replace(poll, batch=batch)


def refused(poll: Poll, reason: str) -> Poll:
    """Make a poll one that failed."""
    return structs.replace(poll, batch=None, error=shown(reason))


def shown(text: str) -> str:
    """Make any text one line that can be encoded and stored, and is not too long."""
    line = " ".join(writable(text).split())
    return line if len(line) <= LONGEST_ERROR else f"{line[:LONGEST_ERROR]}…"


def _check_name(agent: Agent) -> None:
    name = agent.name
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(
            f"{name[:LONGEST_NAME]!r} is no agent's name: 1 to {LONGEST_NAME} printable characters"
        )
