"""Tell whether the rcmon in this container works: exit code 0, or 1 and why.

It reads the status that the service gives to its own user at `health.sock` in the state directory
(RCMON_STATE_DIR, or `var`; HEALTHCHECK_SOCKET names another place), and holds that it is not unhealthy:
there is a snapshot, it is not old, not every source is down, and no agent or component of one. That takes no
certificate and is no TLS handshake that fails. With HEALTHCHECK_CERT, a PEM file of certificate and key that
has the role reader, it asks over TLS instead, at HEALTHCHECK_PORT, RCMON_PORT or 5000. HEALTHCHECK_TIMEOUT is
how long it waits, seconds (8).

`healthcheck.py alive` holds only that a web worker answers: for who restarts the container where this fails
(a Kubernetes livenessProbe), which mends no agent that is down.
"""
# ruff: noqa: INP001 - a script beside the files that it is deployed with

import json
import os
import socket
import ssl
import sys
from collections.abc import Mapping, Sequence
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

HOST = "localhost"
PATH = "/wm_resource_monitor/api/status"


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Check; what is wrong, or None."""
    timeout = float(environ.get("HEALTHCHECK_TIMEOUT") or 8)
    certificate = environ.get("HEALTHCHECK_CERT")
    if certificate:
        port = port_of(environ)
        where = f"{HOST}:{port}"
    else:
        where = environ.get("HEALTHCHECK_SOCKET") or place(environ)
    try:
        body = ask_over_tls(port, timeout, certificate) if certificate else ask_here(where, timeout)
        status = json.loads(body)
    except (OSError, HTTPException, ValueError) as error:
        return f"{where}: {error}"
    if status["status"] != "unhealthy" or "alive" in arguments:
        return None
    return f"unhealthy: {'; '.join(status['reasons'])}"


def place(environ: Mapping[str, str]) -> str:
    """Find the socket in the state directory; the demo keeps all it has in a folder of its own there."""
    state = Path(environ.get("RCMON_STATE_DIR") or "var")
    places = (state / "health.sock", state / "demo" / "health.sock")
    return str(next((each for each in places if each.exists()), places[0]))


def port_of(environ: Mapping[str, str]) -> int:
    """Give the port; Kubernetes puts `tcp://…` into RCMON_PORT where a Service is called rcmon."""
    named = environ.get("HEALTHCHECK_PORT") or environ.get("RCMON_PORT") or ""
    return int(named) if named.isdecimal() else 5000


def ask_here(path: str, timeout: float) -> bytes:
    """Read what the service tells its own user; a path too long for an address goes by its folder."""
    folder = os.open(Path(path).parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(timeout)
            channel.connect(f"/proc/self/fd/{folder}/{Path(path).name}")
            return b"".join(iter(lambda: channel.recv(65536), b""))
    finally:
        os.close(folder)


def ask_over_tls(port: int, timeout: float, certificate: str) -> bytes:
    """Ask as a client with a certificate; raises ValueError for an answer that is not 200."""
    # who answers on our own port is not the question, and its certificate names the host outside
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(certificate)
    connection = HTTPSConnection(HOST, port, timeout=timeout, context=context)
    try:
        connection.request("GET", PATH)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:  # noqa: PLR2004 - OK, which http.HTTPStatus calls no better
        raise ValueError(f"answered {answer.status}")
    return body


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
