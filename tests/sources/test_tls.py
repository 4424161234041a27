"""TLS to the databases: where it is asked for, nothing is said without it; the server proves who it is."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from rcmon.errors import SourceError
from rcmon.sources.database import Database
from tests import servers

NAMES = {
    "mariadb": ("mysql", "mysql+asyncmy", "mysql"),
    "postgresql": ("postgresql", "postgresql+asyncpg", "postgres"),
}
OPTIONS = {
    "mariadb": ("--ssl-cert={folder}/cert", "--ssl-key={folder}/key", "--ssl-ca={folder}/ca"),
    "postgresql": tuple(
        f"--{setting}"
        for setting in (
            *(
                "ssl=on",
                "ssl_cert_file={folder}/cert",
                "ssl_key_file={folder}/key",
                "ssl_ca_file={folder}/ca",
            ),
            "hba_file={folder}/hba",
        )
    ),
}
HBA = b"""\
hostssl all careful 127.0.0.1/32 scram-sha-256 clientcert=verify-ca
host all all 127.0.0.1/32 scram-sha-256
"""
VERSION = {
    "mariadb": "SHOW SESSION STATUS LIKE 'Ssl_version'",
    "postgresql": "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
}
CAREFUL = {
    "mariadb": "GRANT SELECT ON *.* TO careful@127.0.0.1 IDENTIFIED BY 'rcmon-test' REQUIRE X509",
    "postgresql": "CREATE USER careful PASSWORD 'rcmon-test'",
}


class Served(Struct, frozen=True):
    """A server with TLS; its `careful` user needs a certificate."""

    make: str
    server: servers.Server
    folder: Path
    """Holds ca, another CA as other, and a certificate of ours as cert with its key."""

    def version(self, query: str, user: str | None = None) -> str:
        """Read which TLS a connection has that is made with that query of the URL."""
        scheme, _, database = NAMES[self.make]
        ours = self.server.user
        url = self.server.url(scheme, database).replace(f"//{ours}@", f"//{user or ours}@")
        url += query.replace("=./", f"={self.folder}/")

        async def run() -> str:
            try:
                async with Database(url, self.folder / "password").reading(30) as reader:
                    return str((await reader.rows("the version", VERSION[self.make]))[0][-1])
            finally:
                await all_closed()

        return asyncio.run(run())


async def all_closed() -> None:
    """Wait until TLS has said goodbye on every socket, which a loop that ends before leaves open."""
    sockets = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
    while len(sockets.get_map()) > 1:  # the loop's own
        await asyncio.sleep(0.01)


async def make_careful(make: str, server: servers.Server, context: ssl.SSLContext) -> None:
    _, dialect, database = NAMES[make]
    url = server.url(dialect, database).replace("@", f":{server.password}@")
    engine = create_async_engine(url, connect_args={"ssl": context})
    async with engine.begin() as connection:
        await connection.execute(text(CAREFUL[make]))
    await engine.dispose()
    await all_closed()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def folder(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tls")
    ours = authority.issue_cert("rcmon.example.org")
    (made / "password").write_text("rcmon-test\n")
    authority.cert_pem.write_to_path(made / "ca")
    trustme.CA().cert_pem.write_to_path(made / "other")
    ours.cert_chain_pems[0].write_to_path(made / "cert")
    ours.private_key_pem.write_to_path(made / "key")
    return made


def start(make: str, authority: trustme.CA, folder: Path, name: str) -> Iterator[Served]:
    """Start a server whose certificate bears that name."""
    issued = authority.issue_cert(name)
    files = {
        "cert": issued.cert_chain_pems[0].bytes(),
        "key": issued.private_key_pem.bytes(),
        "ca": authority.cert_pem.bytes(),
        "hba": HBA,
    }
    with getattr(servers, make)(OPTIONS[make], files) as server:
        yield Served(make, server, folder)


@pytest.fixture(scope="module", params=list(NAMES))
def served(request: pytest.FixtureRequest, authority: trustme.CA, folder: Path) -> Iterator[Served]:
    for found in start(request.param, authority, folder, "127.0.0.1"):
        context = ssl.create_default_context(cafile=str(folder / "ca"))
        asyncio.run(make_careful(found.make, found.server, context))
        yield found


def test_the_connection_is_encrypted(served: Served) -> None:
    assert served.version("?ssl_ca=./ca").startswith("TLSv1.")


def test_a_directory_of_authorities_will_do(served: Served, tmp_path: Path) -> None:
    shutil.copy(served.folder / "ca", tmp_path / "ca.pem")
    subprocess.run([servers.need("openssl"), "rehash", tmp_path], check=True)
    assert served.version(f"?ssl_ca={tmp_path}").startswith("TLSv1.")


def test_a_server_of_another_authority_is_refused(served: Served) -> None:
    with pytest.raises(SourceError, match="certificate verify failed") as caught:
        served.version("?ssl_ca=./other")
    assert "\n" not in str(caught.value)


def test_who_asks_for_a_certificate_gets_it(served: Served) -> None:
    assert served.version("?ssl_ca=./ca&ssl_cert=./cert&ssl_key=./key", "careful").startswith("TLSv1.")
    with pytest.raises(SourceError, match=r"certificate|denied"):
        served.version("?ssl_ca=./ca", "careful")


@pytest.mark.parametrize("make", NAMES)
def test_a_server_of_another_name_is_refused_unless_names_do_not_matter(
    make: str, authority: trustme.CA, folder: Path
) -> None:
    for served in start(make, authority, folder, "db.example.org"):
        with pytest.raises(SourceError, match="certificate verify failed"):
            served.version("?ssl_ca=./ca")
        assert served.version("?ssl_ca=./ca&ssl_check_hostname=false").startswith("TLSv1.")


@pytest.mark.parametrize("make", NAMES)
def test_a_server_without_tls_is_not_spoken_to(
    make: str, folder: Path, request: pytest.FixtureRequest
) -> None:
    served = Served(make, request.getfixturevalue(make), folder)
    assert not served.version("").startswith("TLSv1.")
    with pytest.raises(SourceError, match="cannot use"):
        served.version("?ssl_ca=./ca")
