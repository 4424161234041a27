"""Names that a shell completes, asked of the service: at once or not at all."""

from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

from rcmon.terminal.client import Client, Query
from rcmon.terminal.failure import TerminalError
from rcmon.terminal.session import make_session
from rcmon.terminal.words import clean

_WITHIN = 2.0
"""Seconds that somebody waits for a completion."""
_MOST = 500

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _names(path: str, items: str, query: Query) -> Complete:
    def complete(context: click.Context, _: click.Parameter, begin: str) -> list[CompletionItem]:
        try:
            client = make_session(context).connect(_WITHIN, ask=False)
        except TerminalError:
            return []
        try:
            found = [_name(one) for one in _asked(client, path, items, query)]
        except TerminalError:
            return []
        finally:
            client.close()
        return [CompletionItem(name) for name in found if name.startswith(begin) and clean(name) == name][
            :_MOST
        ]

    return complete


def _asked(client: Client, path: str, items: str, query: Query) -> list[Any]:
    return client.pages(path, items, query).items


def _name(item: Any) -> str:
    found = item.get("name") if isinstance(item, dict) else None
    return found if isinstance(found, str) else ""


sites_by_name = _names("/sites", "sites", {"fields": "name"})
agents_by_name = _names("/agents", "agents", {})
