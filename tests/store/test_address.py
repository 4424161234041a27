"""Which database URLs are taken, and what is said of the others."""

from pathlib import Path

import pytest

from rcmon.errors import ConfigError, StoreCorruptError
from rcmon.store import Store
from rcmon.store.address import NO_FILES, parse


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
async def test_a_file_is_opened_by_its_absolute_path_and_never_created(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    address = parse(f"{scheme}:///a b%3F.sqlite")
    assert str(address.path) == f"{tmp_path}/a b?.sqlite"
    assert address.url.drivername == "sqlite+aiosqlite"
    assert address.url.query["mode"] == "rw"
    assert address.files() == NO_FILES
    with pytest.raises(StoreCorruptError, match="not there"):
        async with Store(f"{scheme}:///x.sqlite").reading():
            pass


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+asyncpg"])
def test_a_server_is_asked_through_asyncpg_and_its_password_is_not_shown(scheme: str) -> None:
    address = parse(f"{scheme}://rcmon:secret@db.example.org/rcmon")
    assert address.url.drivername == "postgresql+asyncpg"
    assert address.url.password == "secret"
    assert "secret" not in str(address)
    assert address.path is None
    assert address.files() == NO_FILES


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "not a file"),
        ("sqlite:///:memory:", "not a file"),
        ("sqlite:///x?mode=memory", "not a file"),
        ("sqlite://host/x", "not a file"),
        ("mysql://rcmon:secret@host/x", "mysql"),
        ("postgresql+psycopg://rcmon:secret@host/x", "psycopg"),
        ("postgresql://rcmon:secret@host", "names no database"),
        ("secret", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_other_urls_are_refused_with_what_would_be_right(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Store(url)
    assert "secret" not in str(caught.value)
    assert "sqlite:///PATH" in str(caught.value)
