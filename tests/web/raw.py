"""Requests byte by byte, for what no client library does."""

import asyncio
import socket
import time

from tests.web.pki import careful
from tests.web.serving import Serving


def _exchange(service: Serving, request: bytes, pause: float, receive: int) -> bytes:
    context = careful("reader")
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        plain.settimeout(300)
        plain.connect(("localhost", service.port))
        with context.wrap_socket(plain, server_hostname="localhost") as sock:
            sock.sendall(request)
            received = bytearray()
            while data := sock.recv(receive):
                received += data
                time.sleep(pause)
            return bytes(received)


async def exchange(
    service: Serving, *lines: str, pause: float = 0.0, receive: int = 65536
) -> tuple[str, bytes]:
    """Send a request that ends its connection; give the answer's head and all that follows it."""
    request = "\r\n".join([*lines, "Host: localhost", "", ""]).encode("latin-1")
    answer = await asyncio.to_thread(_exchange, service, request, pause, receive)
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.decode("latin-1"), body
