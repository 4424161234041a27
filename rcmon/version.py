"""The version, which stands in pyproject.toml and nowhere else."""

import tomllib
from importlib import metadata
from pathlib import Path


def _read() -> str:
    """Read the version beside a checkout's code, else from the installed distribution."""
    pyproject = Path(__file__).resolve().parent.parent / "pyproject.toml"
    if pyproject.is_file():
        project = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("project", {})
        if project.get("name") == "rcmon":
            return str(project["version"])
    return metadata.version("rcmon")


VERSION = _read()
