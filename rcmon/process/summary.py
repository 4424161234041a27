"""What the processes of a service do, and what is wrong with them, in one line for `systemctl status`."""

from collections.abc import Sequence

from rcmon.process.slot import Slot

LONGEST = 1000
"""Characters of the line."""


def summary(processes: Sequence[tuple[str, Slot]]) -> str:
    """Write the line for processes by name: what they do, who does not work, troubles, how many work."""
    states = {name: state for name, slot in processes if (state := _lacking(slot)) is not None}
    parts = [f"{name}: {slot.doing}" for name, slot in processes if name not in states and slot.doing]
    parts += [f"{name} {state}" for name, state in states.items()]
    parts += [
        f"TROUBLE with {trouble.what} in {trouble.process}: {trouble.reason}"
        for _, slot in processes
        for trouble in slot.troubles
    ]
    parts.append(f"{len(processes) - len(states)} of {len(processes)} processes work")
    line = "; ".join(" ".join(part.split()) for part in parts)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _lacking(slot: Slot) -> str | None:
    """Say why a process does not do all of its work; None: it does."""
    if slot.pid is None and slot.last_ending is not None:
        return f"is down ({slot.last_ending})"
    if not slot.ready:
        return "starts"
    return None if slot.complete else "waits for the first snapshot"
