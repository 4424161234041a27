"""Tell whether the rcmon in this container works: exit code 0, or 1 and why.

Without a certificate it holds that a worker answers a TLS handshake. With HEALTHCHECK_CERT, a PEM file of
certificate and key that has the role reader, it asks for the status and holds that it is not unhealthy.
HEALTHCHECK_PORT is where, if not RCMON_PORT or 5000; HEALTHCHECK_TIMEOUT is how long it waits, seconds (8).
"""
# ruff: noqa: INP001 - a script beside the files that it is deployed with

import json
import os
import socket
import ssl
import sys
from collections.abc import Mapping
from http.client import HTTPException, HTTPSConnection

HOST = "localhost"
PATH = "/wm_resource_monitor/api/status"


def main(environ: Mapping[str, str]) -> str | None:
    """Check; what is wrong, or None."""
    port = int(environ.get("HEALTHCHECK_PORT") or environ.get("RCMON_PORT") or 5000)
    timeout = float(environ.get("HEALTHCHECK_TIMEOUT") or 8)
    # who answers on our own port is not the question, and its certificate names the host outside
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    certificate = environ.get("HEALTHCHECK_CERT")
    try:
        if certificate:
            return ask(port, timeout, context, certificate)
        shake_hands(port, timeout, context)
    except (OSError, HTTPException, ValueError) as error:
        return f"{HOST}:{port}: {error}"
    return None


def shake_hands(port: int, timeout: float, context: ssl.SSLContext) -> None:
    """Go through the handshake as far as a client without a certificate gets under TLS 1.3."""
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with socket.create_connection((HOST, port), timeout) as plain, context.wrap_socket(plain):
        pass


def ask(port: int, timeout: float, context: ssl.SSLContext, certificate: str) -> str | None:
    """Ask for the status."""
    context.load_cert_chain(certificate)
    connection = HTTPSConnection(HOST, port, timeout=timeout, context=context)
    try:
        connection.request("GET", PATH)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:  # noqa: PLR2004 - OK, which http.HTTPStatus calls no better
            return f"{HOST}:{port}: answered {answer.status}"
        status = json.loads(body)
    finally:
        connection.close()
    return f"unhealthy: {status['reasons']}" if status["status"] == "unhealthy" else None


if __name__ == "__main__":
    sys.exit(main(os.environ))
