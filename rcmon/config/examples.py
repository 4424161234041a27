"""`--print-example`: the files of `conf`, which a package holds as it was released."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rcmon.errors import ConfigError

_PLACES = (Path(__file__).parent / "examples", Path(__file__).parent.parent.parent / "conf")
"""Where they are: in an installed package, or in a clone of the project."""


def example_names() -> Sequence[str]:
    """Name all examples, a folder's with a slash."""
    return sorted(_files())


def example(name: str) -> str:
    """Give an example's text. Raises ConfigError for one that there is not."""
    files = _files()
    if name not in files:
        known = ", ".join(sorted(files)) or "none: see the project"
        raise ConfigError(f"--print-example: there is no {name!r}; there are {known}")
    return files[name].read_text(encoding="utf-8")


def _files() -> Mapping[str, Path]:
    place = next((place for place in _PLACES if place.is_dir()), None)
    if place is None:
        return {}
    # a script that was imported leaves its compiled form behind
    files = (path for path in place.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path.relative_to(place)): path for path in files}
