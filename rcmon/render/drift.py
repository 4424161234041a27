"""The documents of what should be, which the web side makes answers of."""

from collections.abc import Iterator, Mapping

from msgspec import msgpack

from rcmon.documents import keys
from rcmon.documents.deflated import complete
from rcmon.documents.drift import ForecastShape, Inputs, MissShape
from rcmon.model import AgentExpected, Document, Forecast, Snapshot
from rcmon.render.sites import MSGPACK
from rcmon.timestamps import iso


def drift_documents(snapshot: Snapshot, previous: Mapping[str, Document]) -> Iterator[Document]:
    """Write what differs, and what is expected."""
    yield complete(keys.DRIFT, MSGPACK, msgpack.encode(snapshot.drift), previous)
    yield complete(keys.EXPECTED, MSGPACK, msgpack.encode(snapshot.expected), previous)


def inputs(about: AgentExpected | None) -> Inputs | None:
    """Shape what an agent's thresholds follow from."""
    if about is None:
        return None
    return Inputs(about.team, about.agents, about.ghosts, about.tier0, about.missing, about.stopped)


def forecast_shape(forecast: Forecast | None) -> ForecastShape | None:
    """Shape how well an agent's updater was forecast."""
    if forecast is None:
        return None
    return ForecastShape(
        hits=forecast.hits,
        misses=forecast.misses,
        awaited=sum(map(len, forecast.awaited.values())),
        last_misses=[
            MissShape(iso(miss.time), miss.site, miss.what, miss.forecast, miss.written)
            for miss in forecast.missed
        ],
    )
