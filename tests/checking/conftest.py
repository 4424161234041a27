"""A configuration that is right, in a directory of its own, and ways to spoil it."""

import datetime as dt
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from rcmon.checking import Report, examine
from rcmon.config import load
from tests.access import pki
from tests.integration.running import environment

PROJECT = Path(__file__).parents[2]


class Place:
    """A place with everything that a configuration names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = pki.authority(pki.name("DC=org", "CN=Test CA"))
        self.options = {
            "host": "localhost",
            "port": "0",
            "tls-cert": str(path / "host.pem"),
            "tls-key": str(path / "host.key"),
            "tls-ca": str(path / "ca.pem"),
            "roles-file": str(path / "roles.toml"),
            "sources-file": str(path / "sources.toml"),
            "state-dir": str(path / "state"),
        }
        (path / "ca.pem").write_bytes(self.root.certificate_pem)
        self.certify()
        self.roles(
            'reader = ["dn:/DC=org/CN=alice", "dn:/DC=org/CN=bob"]', 'operator = ["dn:/DC=org/CN=eve"]'
        )
        self.agent("agent.sqlite")
        self.sources(f'name = "good"\nurl = "sqlite:///{path}/agent.sqlite"')

    def certify(
        self, *names: str, eku: x509.ObjectIdentifier = Eku.SERVER_AUTH, begins: int = -1, days: int = 30
    ) -> None:
        """Give the server a certificate; `begins` in days from now."""
        made = pki.entity(
            pki.name("DC=org", "CN=host"),
            self.root,
            eku=(eku,),
            sans=[x509.DNSName(name) for name in names or ("localhost",)],
            begins=dt.timedelta(days=begins),
            lasts=dt.timedelta(days=days),
        )
        (self.path / "host.pem").write_bytes(made.certificate_pem)
        (self.path / "host.key").write_bytes(made.key_pem)
        (self.path / "host.key").chmod(0o600)

    def roles(self, *lines: str) -> None:
        (self.path / "roles.toml").write_text("\n".join(["[roles]", *lines]))
        (self.path / "roles.toml").chmod(0o600)

    def agent(self, name: str) -> None:
        sqlite3.connect(self.path / name).close()
        (self.path / name).touch()

    def sources(self, *tables: str) -> None:
        text = "\n".join(f'[[source]]\nkind = "wmagent"\ntimeout = 5\n{table}' for table in tables)
        (self.path / "sources.toml").write_text(text)

    def arguments(self, **options: str) -> list[str]:
        """Write the command line, with options besides and instead."""
        given = self.options | {name.replace("_", "-"): value for name, value in options.items()}
        return [f"--{name}={value}" for name, value in given.items()]

    def examine(self, **options: str) -> Report:
        config = load([*self.arguments(**options), "--check-config"], {}, "1")
        return examine(config, config, None)

    def run(self, *more: str, **options: str) -> "subprocess.CompletedProcess[str]":
        """Run it as users do."""
        return subprocess.run(
            [sys.executable, str(PROJECT / "run.py"), *self.arguments(**options), *more],
            cwd=self.path, env=environment(), capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)
