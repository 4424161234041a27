"""The families of what operators set."""

from collections.abc import Iterator

from rcmon.exposition.lines import label
from rcmon.model import OVERRIDE_MODES
from rcmon.render.families.family import gauge
from rcmon.render.families.view import View


def _by_mode(view: View) -> Iterator[tuple[str, int]]:
    modes = [one.mode for one in view.snapshot.overrides]
    return ((label("mode", mode), modes.count(mode)) for mode in OVERRIDE_MODES)


OVERRIDE_FAMILIES = (
    gauge("rcmon_overrides", ("mode",), "Overrides that operators set, by how they end.", _by_mode),
)
