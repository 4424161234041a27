"""A real configuration over one of the demo's databases, which stands still."""

import shutil

import pytest

from tests.integration.running import running


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make the demo's certificates and databases, which then stand still."""
    directory = tmp_path_factory.mktemp("made")
    with running(directory, "--demo", "--workers", "1") as service:
        service.stop()
    return directory / "state" / "demo"


@pytest.fixture
def stack(tmp_path, made):
    """Give a real configuration: one of the demo's databases with its certificates, without the demo."""
    demo = tmp_path / "made"
    shutil.copytree(made, demo, ignore=shutil.ignore_patterns("*.sock"))
    database = next(path for path in sorted(demo.rglob("*.sqlite*")) if path.suffix in {".sqlite", ".db"})
    (tmp_path / "sources.toml").write_text(
        f'[[source]]\nname = "good"\nkind = "wmagent"\nurl = "sqlite:///{database}"\n'
    )
    (tmp_path / "roles.toml").write_text((demo / "roles.toml").read_text())
    (tmp_path / "roles.toml").chmod(0o600)
    pki = demo / "pki"
    options = ["--tls-cert", pki / "server.crt", "--tls-key", pki / "server.key", "--tls-ca", pki / "ca.crt"]
    options += ["--roles-file", tmp_path / "roles.toml", "--sources-file", tmp_path / "sources.toml"]
    options += ["--workers", "2", "--cycle-interval", "1"]
    return [str(option) for option in options], pki
