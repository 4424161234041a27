"""What is read before the start."""

import os
from pathlib import Path

import pytest

from rcmon.checking.start import store_url
from rcmon.config import Config, load
from rcmon.errors import ConfigError


def configured(file: Path) -> Config:
    options = ["--database", "postgresql://rcmon@localhost/rcmon", "--database-password-file", str(file)]
    return load(options, {}, "1.2.3")


def test_the_stores_password_is_what_a_file_holds_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret\n")
    assert store_url(configured(file)).password == "secret"


def test_a_pipe_in_its_place_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "password")
    with pytest.raises(ConfigError, match=r"--database-password-file: .*password. cannot be read"):
        store_url(configured(tmp_path / "password"))
