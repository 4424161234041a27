"""Events over real sockets and TLS, from a real store."""

from msgspec import structs

from tests.web.events.listening import listen
from tests.web.grid import NOW, make_snapshot
from tests.web.serving import Serving


async def test_a_stream_tells_what_a_snapshot_changed(service: Serving) -> None:
    stream = await listen(service)
    assert stream.fields["content-type"] == "text/event-stream"
    snapshot = make_snapshot()
    name = "T1_US_FNAL"
    site = structs.replace(snapshot.sites[name], running_slots=12345)
    await service.publish(structs.replace(snapshot, started=NOW + 60, sites={**snapshot.sites, name: site}))
    told = await stream.next()
    assert told.name == "snapshot"
    assert [(one["name"], one["running_slots"]) for one in told.data["sites"]] == [(name, 12345)]
    assert told.data["gone"] == []
