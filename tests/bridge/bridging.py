"""A whole bridge, run as its users run it, and the questions of an agent."""

import http.client
import json
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.access import pki
from tests.bridge.upstream import AGENT, NODE, ROOT
from tests.integration.running import PROJECT, environment, until

TOKEN = "0123456789abcdef0123"
WITHIN = 240.0


def question(metric: str) -> bytes:
    """Write what an agent asks, as WMCore's client does."""
    inner = f"metadata.type: ssbmetric AND metadata.type_prefix:raw AND metadata.monit_hdfs_path: {metric}"
    head = '{"search_type":"query_then_fetch","ignore_unavailable":true,"index":["monit_prod_cmssst_*"]}\n'
    return (head + json.dumps({"size": 500, "query": {"query_string": {"query": inner}}}) + "\n").encode()


class Place:
    """The files of one bridge."""

    def __init__(self, directory: Path, node: pki.Credential = NODE) -> None:
        self.cert, self.ca, self.token = (directory / name for name in ("proxy.pem", "ca.pem", "token"))
        node.write(self.cert)
        self.ca.write_bytes(ROOT.certificate_pem)
        self.token.write_text(f"{TOKEN}\n")
        self.token.chmod(0o600)

    def options(self, url: str, *more: str) -> list[str]:
        """Write the options of a bridge to an rcmon."""
        given = ["--url", url, "--agent", AGENT, "--cert", self.cert, "--ca", self.ca]
        given += ["--token-file", self.token, "--listen", "127.0.0.1:0", "--timeout", "5", *more]
        return [str(option) for option in given]


class Bridge:
    """One running bridge."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path, port: int) -> None:
        self.process, self.log, self.port = process, log, port

    def connect(self) -> http.client.HTTPSConnection:
        """Open a connection as an agent's client does: it looks at the name, not at who signed it."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=WITHIN, context=context)

    def ask(
        self, metric: str, *, token: str | None = TOKEN, dataset: str = AGENT, **fields: str
    ) -> tuple[int, str]:
        """Ask as an agent does; gives the status and the body."""
        return self.send(
            "POST", f"/api/datasources/proxy/{dataset}/_msearch", question(metric), token, fields
        )

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        token: str | None = TOKEN,
        fields: dict[str, str] | None = None,
    ) -> tuple[int, str]:
        """Send any request."""
        connection = self.connect()
        try:
            head = {"Content-Type": "application/json"} | (fields or {})
            if token is not None:
                head["Authorization"] = f"Bearer {token}"
            connection.request(method, path, body, head)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def cycle(self) -> list[Any]:
        """Ask the three questions of a cycle; gives a document, or the reason why there is none."""
        said = [self.ask(metric) for metric in ("sts15min", "scap15min", "scap15min")]
        return [json.loads(body) if status == 200 else f"{status} {body}" for status, body in said]

    def lines(self) -> list[str]:
        """Give what it logged."""
        return self.log.read_text().splitlines()


@contextmanager
def bridging(directory: Path, options: list[str]) -> Iterator[Bridge]:
    """Run a bridge for the length of the block."""
    log = directory / "bridge.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "rcmon.bridge", *options],
            stdout=output, stderr=output, cwd=directory, env=environment() | {"PYTHONPATH": str(PROJECT)},
        )  # fmt: skip
    try:
        port = until(lambda: _port(process, log), "the bridge to listen")
        yield Bridge(process, log, port)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(WITHIN)


def _port(process: "subprocess.Popen[bytes]", log: Path) -> int | None:
    text = log.read_text()
    assert process.poll() is None, text
    _, found, rest = text.partition("listening at https://127.0.0.1:")
    return int(rest.split(" ")[0]) if found and "\n" in rest else None
