"""`--print-example`: the files of `conf`, which a package holds as it was released."""

from collections.abc import Sequence
from pathlib import Path

from rcmon.errors import ConfigError

_PLACES = (Path(__file__).parent / "examples", Path(__file__).parent.parent.parent / "conf")
"""Where they are: in an installed package, or in a clone of the project."""


def example_names() -> Sequence[str]:
    """Name all examples, a folder's with a slash."""
    place = next((place for place in _PLACES if place.is_dir()), None)
    if place is None:
        return ()
    files = (path for path in place.rglob("*") if path.is_file())
    # a script that was imported leaves its compiled form behind
    return sorted(str(path.relative_to(place)) for path in files if path.suffix != ".pyc")


def example(name: str) -> str:
    """Give an example's text. Raises ConfigError for one that there is not."""
    known = example_names()
    if name not in known:
        raise ConfigError(
            f"--print-example: there is no {name!r}; there are {', '.join(known) or 'none: see the project'}"
        )
    place = next(place for place in _PLACES if place.is_dir())
    return (place / name).read_text(encoding="utf-8")
