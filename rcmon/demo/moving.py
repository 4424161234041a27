"""The simulation as one of the service's processes, or beside the others in a single one."""

import asyncio
import threading
from collections.abc import Callable

from rcmon.demo.simulation import Simulation


async def keep_moving(simulation: Simulation, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Run the simulation in a thread until `stop` is set; an error that ends it is raised here.

    `ready` is called when the work has begun.
    """
    ending = threading.Event()
    running = asyncio.create_task(asyncio.to_thread(simulation.run, ending))
    stopped = asyncio.create_task(stop.wait())
    ready()
    try:
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ending.set()
        stopped.cancel()
        await running
