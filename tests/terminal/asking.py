"""Runs `rcmon-cli`: in this process, or as a program of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.browser.site import PATIENCE, Site
from tests.web.pki import files

PROJECT = Path(__file__).parent.parent.parent
OURS = ("RCMON_", "X509_", "NO_COLOR", "FORCE_COLOR")


class Said(NamedTuple):
    """What a command said."""

    status: int
    out: str
    err: str


def identity(persona: str = "reader") -> list[str]:
    """Name a persona's certificate, and the service's CA."""
    return ["--cert", str(files().personas[persona]), "--ca", str(files().ca_file)]


def environment(site: Site | None, persona: str | None = "reader", **more: str) -> dict[str, str]:
    """Make an environment as a user of the grid has it, of nothing but this."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    kept |= {"X509_CERT_DIR": str(files().ca_file), "TERM": "xterm-256color", "PYTHONPATH": str(PROJECT)}
    if persona is not None:
        kept["X509_USER_PROXY"] = str(files().personas[persona])
    if site is not None:
        kept["RCMON_URL"] = site.origin
    return kept | more


def program(arguments: Sequence[str], given: Mapping[str, str], stdin: str = "", **options: object) -> Said:
    """Run it as a program of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "rcmon.terminal", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env=dict(given),
        timeout=PATIENCE,
        check=False,
        **options,  # type: ignore[call-overload]
    )
    return Said(done.returncode, done.stdout, done.stderr)
