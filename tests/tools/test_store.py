"""`python -m rcmon.tools.store`: what it does and says, and its exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from rcmon.tools import store


def run(*words: str | Path) -> int:
    return store.main([str(word) for word in words])


def test_there_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (f"--state-dir={tmp_path / name}" for name in ("first", "second"))
    archive = tmp_path / "archive"
    assert run("check", first) == store.FAILED
    assert "is not there" in capsys.readouterr().err
    made = tmp_path / "made"
    assert run("export", archive, first) == store.FAILED
    assert not archive.exists()
    code = "import asyncio, sys; from rcmon.store import Store; s = Store(sys.argv[1]);"
    code += "asyncio.run(s.migrate()); asyncio.run(s.close())"
    (tmp_path / "first").mkdir()
    url = f"sqlite:///{tmp_path}/first/rcmon.sqlite"
    subprocess.run([sys.executable, "-c", code, url], check=True)
    capsys.readouterr()
    assert run("check", first) == store.DONE
    assert "is sound: 1 of about, 1 of note" in capsys.readouterr().out
    assert run("backup", made, first) == run("export", archive, first) == store.DONE
    assert run("import", archive, second) == store.DONE
    assert "was filled: 1 of about, 1 of note" in capsys.readouterr().out
    assert run("backup", made, first) == store.FAILED
    assert "is there already" in capsys.readouterr().err


def test_what_is_asked_wrongly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["check", "file"], ["backup"], ["burn", "file"]):
        with pytest.raises(SystemExit):
            run(*words)
    assert run("check", "--database=mysql://u:secret@h/d") == store.UNUSABLE
    assert run("check", "--prot=1") == store.UNUSABLE
    said = capsys.readouterr().err
    assert "of no kind that rcmon stores in" in said
    assert "secret" not in said
