"""What this process takes, as prometheus_client reads it from /proc."""

from prometheus_client import ProcessCollector

from rcmon.process.slot import Slot


class OwnFigures:
    """Reads the figures of the process that calls, and writes them to its slot."""

    def __init__(self) -> None:
        self._collector = ProcessCollector(registry=None)

    def record(self, slot: Slot) -> None:
        """Read and write them now; what /proc does not tell is not known."""
        found = {
            sample.name: sample.value for family in self._collector.collect() for sample in family.samples
        }
        memory = found.get("process_resident_memory_bytes")
        fds = found.get("process_open_fds")
        slot.record(
            cpu_seconds=found.get("process_cpu_seconds_total"),
            resident_memory_bytes=None if memory is None else int(memory),
            open_fds=None if fds is None else int(fds),
        )
