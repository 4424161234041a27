"""Isolation: one source's data, whatever they are, end no cycle; it goes on without them. Pure."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias, TypeVar

from msgspec import structs

from rcmon.collector.polling import Heard
from rcmon.collector.soundness import refused
from rcmon.errors import RcmonError

T = TypeVar("T")

Make: TypeAlias = Callable[[Sequence[Heard]], T]
"""Conclude from what was heard; raises where some of it cannot be dealt with."""


def isolated(make: Make[T], heard: Sequence[Heard]) -> tuple[T, dict[str, Exception]]:
    """Conclude; where that raises, without what is to blame. Gives also what was raised, by source.

    Each source is tried by itself. One that fails alone loses its newest polls, as if they had failed; if
    that is not enough, also what is left of its earlier ones. If none fails alone, as many are taken as go
    together, in their order. Raises what `make` raises even of nothing.
    """
    with suppress(Exception):  # whoever is to blame is found below, with what it raises
        return make(heard), {}
    causes: dict[str, Exception] = {}
    kept = list(heard)
    for less in (_refused, _dropped):
        for number, one in enumerate(kept):
            error = _failure(make, [one])
            if error is not None:
                causes[one.source] = error
                kept[number] = less(one, error)
        with suppress(Exception):
            return make(kept), causes
    together: list[Heard] = []
    for one in kept:
        error = _failure(make, [*together, one])
        if error is not None:
            causes[one.source] = error
        together.append(one if error is None else _dropped(one, error))
    return make(together), causes


def _failure(make: Make[T], heard: Sequence[Heard]) -> Exception | None:
    """Try, and give what that raises."""
    try:
        make(heard)
    except Exception as error:  # noqa: BLE001 - any: it is told as this source's
        return error
    return None


def _refused(one: Heard, error: Exception) -> Heard:
    """Make its polls failed ones; what is left of earlier ones stays."""
    reason = _reason(error)
    return structs.replace(
        one, polls=tuple(refused(poll, reason) if poll.batch else poll for poll in one.polls)
    )


def _dropped(one: Heard, error: Exception) -> Heard:
    return structs.replace(_refused(one, error), dropped=_reason(error))


def _reason(error: Exception) -> str:
    if isinstance(error, RcmonError):
        return str(error)
    return f"its data cannot be shown: {type(error).__name__}: {error}"
