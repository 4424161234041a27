"""A site status board on loopback: it answers as the MonIT proxy does, each name that asks with its own."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Rows = Mapping[str, list[dict[str, Any]]]
"""The data of the rows by metric: sts15min, scap15min."""


@contextmanager
def board(given: Mapping[str, Rows]) -> Iterator[str]:
    """Serve what each name is given; yields the address."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
            name = self.path.split("/")[4]
            metric = re.search(r"monit_hdfs_path: (\w+)", asked)
            assert metric is not None, asked
            hits = [{"_source": {"data": row}, "sort": [1000]} for row in given[name][metric[1]]]
            body = json.dumps({"responses": [{"hits": {"hits": hits}}]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()
