#!/usr/bin/env python3
"""Measure what a new connection costs by type of key: `python tests/load/keys.py`.

Server and client have a certificate of the same type, signed by one authority with P-256; TLS 1.3 without
tickets. Told is the CPU time of all processes of the service for each connection with one request for the
status, as medians of alternating rounds, and its ratio to P-256.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cycle
import processes
from client import Endpoint, closed_loop
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from targets import free_port, started

PROJECT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(PROJECT))

from tests.access import pki  # noqa: E402 - found by the line above

KEYS: dict[str, Callable[[], CertificateIssuerPrivateKeyTypes]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "RSA 2048": lambda: pki.rsa_key(2048),
    "RSA 3072": lambda: pki.rsa_key(3072),
    "RSA 4096": lambda: pki.rsa_key(4096),
}


@contextlib.contextmanager
def service(folder: Path, kind: str, authority: pki.Credential) -> Iterator[tuple[int, Endpoint]]:
    """Run one with a key of that type; gives its process, and how a client of that type asks."""
    folder.mkdir()
    make, port = KEYS[kind], free_port()
    server = pki.host(authority, x509.DNSName("localhost"), key=make())
    client = pki.entity(pki.name("DC=ch", "CN=alice"), authority, key=make())
    (folder / "ca.pem").write_bytes(authority.certificate_pem)
    (folder / "server.crt").write_bytes(server.certificate_pem)
    (folder / "server.key").write_bytes(server.key_pem)
    (folder / "server.key").chmod(0o600)
    (folder / "alice.pem").write_bytes(client.pem)
    (folder / "roles.toml").write_text('[roles]\nreader = ["dn:/DC=ch/CN=alice"]\n')
    (folder / "roles.toml").chmod(0o600)
    agent = folder.parent / "agent.sqlite"
    (folder / "sources.toml").write_text(
        f'[[source]]\nname = "a"\nkind = "wmagent"\nurl = "sqlite:///{agent}"\n'
    )
    command = [sys.executable, str(PROJECT / "run.py"), "--host", "127.0.0.1", "--port", str(port)]
    command += [
        "--state-dir",
        str(folder / "state"),
        "--log-file",
        str(folder / "rcmon.log"),
        "--workers",
        "1",
    ]
    command += ["--tls-cert", str(folder / "server.crt"), "--tls-key", str(folder / "server.key")]
    command += ["--tls-ca", str(folder / "ca.pem"), "--roles-file", str(folder / "roles.toml")]
    command += ["--sources-file", str(folder / "sources.toml"), "--cycle-interval", "3600"]
    command += ["--max-request-rate-per-identity", "0"]
    url = f"https://localhost:{port}/wm_resource_monitor/api/status"
    with started(command, port, folder / "rcmon.out") as pid:
        yield pid, Endpoint(url, str(folder / "alice.pem"), str(folder / "ca.pem"))


def measured(pid: int, endpoint: Endpoint, seconds: float) -> float:
    """Connect again and again; gives seconds of CPU for each connection."""
    before = processes.cpu_seconds(pid)
    result = asyncio.run(closed_loop(endpoint, 4, seconds, keep=False, progress=lambda _: None))
    if result.errors or not result.requests:
        raise RuntimeError(f"{result.errors} of {result.requests} requests failed")
    return (processes.cpu_seconds(pid) - before) / result.requests


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="seconds of a round")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    cycle.JOBS = 100
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as running:
        folder = Path(name)
        cycle.make_agent(folder / "agent.sqlite")
        authority = pki.authority(pki.name("DC=ch", "CN=authority"))
        services = {
            kind: running.enter_context(service(folder / kind.replace(" ", "-"), kind, authority))
            for kind in KEYS
        }
        for pid, _ in services.values():
            processes.wait_until_quiet(pid)
        took: dict[str, list[float]] = {kind: [] for kind in KEYS}
        for _ in range(chosen.rounds):
            for kind, (pid, endpoint) in services.items():
                took[kind].append(measured(pid, endpoint, chosen.seconds))
    first = statistics.median(took["P-256"])
    for kind, some in took.items():
        middle = statistics.median(some)
        print(f"{kind:9s} {middle * 1e6:6.0f} us of CPU a connection, {middle / first:.2f} x P-256")


if __name__ == "__main__":
    main()
