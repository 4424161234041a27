"""Other Python servers with the smallest status there can be: `python other_apps.py aiohttp|starlette …`."""

import json
import ssl
import sys
import time

START = time.time()


def status() -> bytes:
    """Make a status document of the usual size."""
    now = time.time()
    sources = [{"name": f"vocms{n}", "up": True, "last_success": now, "age": 3.2} for n in range(3)]
    return json.dumps({"name": "other", "uptime": now - START, "timestamp": now, "sources": sources}).encode()


def run_aiohttp(port: int, cert: str, key: str, ca: str) -> None:
    """Serve by aiohttp, one process."""
    from aiohttp import web  # noqa: PLC0415 - one of several that may not be installed

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=status(), content_type="application/json")

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(cert, key)
    app = web.Application()
    app.router.add_get("/api/status", answer)
    web.run_app(app, host="127.0.0.1", port=port, ssl_context=context, access_log=None, print=None)


def run_starlette(port: int, cert: str, key: str, ca: str) -> None:
    """Serve by starlette on uvicorn, one process."""
    # one of several that may not be installed
    import uvicorn  # noqa: PLC0415
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.requests import Request  # noqa: PLC0415
    from starlette.responses import Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    async def answer(_request: Request) -> Response:
        return Response(status(), media_type="application/json")

    uvicorn.run(
        Starlette(routes=[Route("/api/status", answer)]), host="127.0.0.1", port=port, ssl_certfile=cert,
        ssl_keyfile=key, ssl_ca_certs=ca, ssl_cert_reqs=ssl.CERT_REQUIRED, access_log=False,
        log_level="error",
    )  # fmt: skip


if __name__ == "__main__":
    {"aiohttp": run_aiohttp, "starlette": run_starlette}[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:6])
