"""A double of rcmon for faults: it speaks mutual TLS, and what it answers a test decides, octet by octet."""

import json
import re
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.access import pki

AGENT = "vocms0281"
ROOT = pki.authority(pki.name("DC=ch", "CN=Grid"))
SERVER = pki.host(ROOT)
NODE = pki.entity(pki.name("DC=ch", "CN=vocms0281.example.org"), ROOT)
SITES = {
    "T1_US_FNAL": ("enabled", 4000, 400),
    "T2_CH_CERN": ("drain", 900, 90),
    "T2_IT_Pisa": ("disabled", 70, 7),
}

Say = Callable[[str, Mapping[str, str]], bytes | None]
"""Gives all octets of an answer from the metric and the header fields that were asked with; None: hangs."""


def document(metric: str, sites: Mapping[str, Any] = SITES, when: float | None = None) -> dict[str, Any]:
    """Write what rcmon answers when all is well."""
    sort = [int((time.time() if when is None else when) * 1000)]

    def data(name: str) -> dict[str, Any]:
        status, cpu, io = sites[name]
        if metric == "sts15min":
            return {"name": name, "prod_status": status}
        return {"name": name, "core_cpu_intensive": cpu, "core_io_intensive": io}

    hits = [{"_source": {"data": data(name)}, "sort": sort} for name in sites]
    return {"responses": [{"hits": {"hits": hits}}]}


def http(content: object, status: str = "200 OK", version: object = 7, **fields: object) -> bytes:
    """Write a whole answer."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    head = {"Content-Type": "application/json", "Content-Length": len(body), "Connection": "close"}
    if version is not None:
        head["X-Rcmon-Control-Version"] = version
    head |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def well(metric: str, _: Mapping[str, str]) -> bytes:
    """Answer as it should be."""
    return http(document(metric))


class Double:
    """The double while it runs."""

    def __init__(self, port: int) -> None:
        self.say: Say = well
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.paths: list[str] = []
        self.port = port
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def handle(self, connection: ssl.SSLSocket) -> None:
        connection.settimeout(300)
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536) or b"\r\n\r\n"
        start, _, rest = head.partition(b"\r\n\r\n")
        first, *lines = start.decode().split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        while len(rest) < int(fields.get("content-length", 0)):
            rest += connection.recv(65536)
        found = re.search(rb"monit_hdfs_path: (\w+)", rest)
        metric = found[1].decode() if found else ""
        self.asked.append((metric, fields))
        self.paths.append(first)
        said = self.say(metric, fields)
        if said is None:
            self.over.wait()
        else:
            connection.sendall(said)


@contextmanager
def double(server: pki.Credential = SERVER) -> Iterator[Double]:
    """Run the double for the length of the block."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=ROOT.certificate_pem.decode())
    load(context, server)
    listener = socket.create_server(("127.0.0.1", 0))
    made = Double(listener.getsockname()[1])
    threads = []

    def accept() -> None:
        while not made.over.is_set():
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=one, args=(raw,))
            thread.start()
            threads.append(thread)

    def one(raw: socket.socket) -> None:
        with raw, suppress(OSError):
            raw.settimeout(300)
            with context.wrap_socket(raw, server_side=True) as connection:
                made.handle(connection)

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield made
    finally:
        made.over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (accepting, *threads):
            thread.join()


def load(context: ssl.SSLContext, credential: pki.Credential) -> None:
    """Let a server be somebody."""
    with tempfile.TemporaryDirectory() as folder:
        path = credential.write(Path(folder) / "both.pem")
        context.load_cert_chain(path)
