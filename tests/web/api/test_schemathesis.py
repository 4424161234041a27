"""Whatever may be asked by the OpenAPI document, and what may not: schemathesis asks a live service.

With a certificate of each role. `RCMON_TEST_EXAMPLES=200` asks so much more of each method.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.grid import make_grid
from tests.browser.site import Site
from tests.web.pki import files

EXAMPLES = os.environ.get("RCMON_TEST_EXAMPLES")
AMOUNT = ["--max-examples", EXAMPLES] if EXAMPLES else ["--max-examples", "2", "--seed", "1"]
CHANGES = ("PUT", "POST", "DELETE")
ASKED = {
    "reader": ("fuzzing", ("GET",)),
    "agent": ("fuzzing", ("GET", *CHANGES)),
    "operator": ("coverage", CHANGES),
}
"""By persona: in which way, and which methods; who may change is asked every form of every parameter."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve a grid."""
    made = Site(tmp_path_factory.mktemp("asked") / "rcmon.sqlite", make_grid())
    yield made
    made.end()


@pytest.mark.parametrize("persona", ASKED)
def test_no_request_gets_what_is_not_said(site: Site, tmp_path: Path, persona: str) -> None:
    """No 5xx, no status, media type or shape that is not said, nothing taken that is not allowed."""
    phase, methods = ASKED[persona]
    done = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis", "run", site.url("/api/openapi.json"),
            "--request-cert", files().personas[persona], "--tls-verify", files().ca_file,
            "--phases", phase, *AMOUNT, *(f"--include-method={method}" for method in methods),
            "--continue-on-failure", "--warnings", "off", "--no-color",
            # no schema says that a time must be past, or that one of two members is needed
            "--checks", "all", "--exclude-checks", "positive_data_acceptance",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    tested = re.search(r"Tested: (\d+)", done.stdout)
    assert tested, done.stdout
    assert int(tested[1]) >= len(methods)
