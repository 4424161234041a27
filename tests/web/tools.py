"""Programs that a machine may lack."""

import os
import shutil

import pytest


def tool(name: str) -> str:
    """Find a program; without it the test is skipped, or fails where every test is asked for."""
    path = shutil.which(name)
    if path is None:
        if os.environ.get("RCMON_TEST_ALL") == "1":
            pytest.fail(f"{name} is not installed, and RCMON_TEST_ALL=1 asks for every test")
        pytest.skip(f"{name} is not installed")
    return path
