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
        whole = {name: int(value) for name, value in found.items()}
        slot.record(
            cpu_seconds=found.get("process_cpu_seconds_total"),
            resident_memory_bytes=whole.get("process_resident_memory_bytes"),
            open_fds=whole.get("process_open_fds"),
            virtual_memory_bytes=whole.get("process_virtual_memory_bytes"),
            max_fds=whole.get("process_max_fds"),
        )
