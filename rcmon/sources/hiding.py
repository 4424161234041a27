"""Keeping secrets out of what a poll says of its failure: a server may send back what it was sent."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rcmon.errors import SourceError

HIDDEN = "***"
_SHORTEST = 4
"""Characters; a shorter one would be found in any word."""


@contextmanager
def hiding(secrets: Sequence[str]) -> Iterator[None]:
    """Leave these secrets out of a SourceError that the block ends with; more may be known by then."""
    try:
        yield
    except SourceError as error:
        told = hidden = str(error)
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                hidden = hidden.replace(secret, HIDDEN)
        if hidden == told:
            raise
        raise SourceError(hidden) from None
