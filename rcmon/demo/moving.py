"""The simulation as one of the service's processes, or beside the others in a single one."""

import asyncio
import threading
from typing import Protocol

from rcmon.demo.simulation import Simulation


class Context(Protocol):
    """What a process of the service is given (rcmon.process.ChildContext)."""

    @property
    def stop(self) -> asyncio.Event:
        """Set when it is time to end."""

    def ready(self) -> None:
        """Tell that the work has begun."""


async def keep_moving(simulation: Simulation, context: Context) -> None:
    """Run the simulation in a thread until the context stops; an error that ends it is raised here."""
    stop = threading.Event()
    running = asyncio.create_task(asyncio.to_thread(simulation.run, stop))
    stopped = asyncio.create_task(context.stop.wait())
    context.ready()
    try:
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        stopped.cancel()
        await running
