"""Tornado's compression for whatever is not ready bytes: more media types, a true reading of the request."""

from typing import cast

from msgspec import Struct
from tornado import httputil
from tornado.web import GZipContentEncoding

from rcmon.web.answers.negotiation import wants_gzip


class _Wish(Struct):
    """What Tornado's transform reads of a request: whether the word gzip stands in Accept-Encoding."""

    headers: dict[str, str]


class Gzip(GZipContentEncoding):
    """Compress textual answers for who prefers gzip; `gzip;q=0` is a refusal."""

    CONTENT_TYPES = GZipContentEncoding.CONTENT_TYPES | {
        "application/problem+json",
        "application/openmetrics-text",
        "application/openapi+json",
        "application/schema+json",
        "application/x-ndjson",
    }
    GZIP_LEVEL = 3

    def __init__(self, request: httputil.HTTPServerRequest) -> None:
        wanted = wants_gzip(request.headers.get("Accept-Encoding"))
        wish = _Wish({"Accept-Encoding": "gzip"} if wanted else {})
        super().__init__(cast("httputil.HTTPServerRequest", wish))

    def transform_first_chunk(
        self,
        status_code: int,
        headers: httputil.HTTPHeaders,
        chunk: bytes,
        finishing: bool,  # noqa: FBT001 - Tornado's signature
    ) -> tuple[int, httputil.HTTPHeaders, bytes]:
        """Compress the head of an answer; Vary names Accept-Encoding once."""
        vary = headers.get("Vary", "")
        status_code, headers, chunk = super().transform_first_chunk(status_code, headers, chunk, finishing)
        if "Accept-Encoding" in vary:
            headers["Vary"] = vary
        return status_code, headers, chunk
