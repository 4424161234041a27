"""The documents that are made of verdicts: the expositions, which tell who is blocked, the maps, and all."""

from collections import defaultdict
from collections.abc import Mapping

from msgspec import Raw, msgpack

from rcmon.documents import keys
from rcmon.documents.deflated import complete
from rcmon.documents.why import Age, WhyIndex
from rcmon.model import Document, Place, Snapshot
from rcmon.render.families import exposed
from rcmon.render.families.view import views
from rcmon.render.freshness import is_stale
from rcmon.render.overview import overview_document
from rcmon.render.sites import MSGPACK
from rcmon.rules.judging import Places


def made_of_verdicts(
    snapshot: Snapshot, previous: Mapping[str, Document], *, task_zeros: bool = True
) -> list[Document]:
    """Judge a snapshot once for all; `task_zeros`: whether expositions say that a task type has no jobs."""
    seen = views(snapshot, zeros=task_zeros)
    return [
        *exposed(seen),
        why_index(snapshot, seen.places, previous),
        overview_document(snapshot, seen.places, previous),
    ]


def why_index(snapshot: Snapshot, places: Places, previous: Mapping[str, Document]) -> Document:
    """Write all verdicts for the web side, which makes sentences of those that somebody asks for."""
    by_site: dict[str, list[Place]] = defaultdict(list)
    for of_agent in places.values():
        for name, place in of_agent.items():
            by_site[name].append(place)
    encoder = msgpack.Encoder()
    index = WhyIndex(
        {name: Age(agent.polled_at, is_stale(agent, snapshot)) for name, agent in snapshot.agents.items()},
        {name: Raw(encoder.encode(by_site[name])) for name in sorted(by_site)},
    )
    return complete(keys.WHY, MSGPACK, encoder.encode(index), previous)
