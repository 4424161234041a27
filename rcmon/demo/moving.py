"""The simulation as one of the service's processes, or beside the others in a single one."""

import asyncio
import threading
from collections.abc import Callable

from rcmon.demo.serving import serve
from rcmon.demo.simulation import Simulation


async def keep_moving(
    simulation: Simulation, upstream: int, stop: asyncio.Event, ready: Callable[[], None]
) -> None:
    """Run the simulation in a thread until `stop` is set; an error that ends it is raised here.

    What it says of the grid is served meanwhile on the socket with the descriptor `upstream`.

    `ready` is called when the work has begun.
    """
    ending = threading.Event()
    server = serve(upstream, simulation.documents)
    running = asyncio.create_task(asyncio.to_thread(simulation.run, ending))
    stopped = asyncio.create_task(stop.wait())
    ready()
    try:
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.stop()
        ending.set()
        stopped.cancel()
        await running
