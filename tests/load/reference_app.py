"""The reference: what one would write first. Flask, flask-compress and prometheus-client under gunicorn.

`SERIES` in the environment says how many series its registry holds.
"""

import os
import time

from flask import Flask, Response, jsonify
from flask_compress import Compress
from prometheus_client import CollectorRegistry, Gauge, generate_latest

START = time.time()


def make_app() -> Flask:
    """Make the application with a status and a scrape."""
    app = Flask(__name__)
    app.config["COMPRESS_ALGORITHM"] = "gzip"
    app.config["COMPRESS_MIMETYPES"] = ["application/json", "text/plain"]
    Compress(app)
    registry = CollectorRegistry()
    gauges = [
        Gauge(
            f"site_task_{name}_jobs",
            "Jobs of a site and task type.",
            ["agent", "site", "task"],
            registry=registry,
        )
        for name in ("pending", "running", "error", "complete", "unknown")
    ]
    for number in range(int(os.environ.get("SERIES", "1000"))):
        gauge = gauges[number % len(gauges)]
        site, task = f"T2_XX_Site{number // 40:04d}", f"Task{number // len(gauges) % 8}"
        gauge.labels("vocms0281.cern.ch", site, task).set(number * 37 % 5003)

    @app.get("/api/status")
    def status() -> Response:
        now = time.time()
        sources = [
            {"name": f"vocms{n}", "kind": "wmagent", "up": True, "last_success": now, "age": 3.2,
             "duration": 0.2, "error": None}
            for n in range(3)
        ]  # fmt: skip
        return jsonify(
            name="reference", version="1", status="healthy", reasons=[], uptime=now - START, timestamp=now,
            python_version="3", last_cycle_start=now, last_cycle_duration=0.4, cycle_interval=60, snapshot=1,
            sources=sources, workers=4,
        )  # fmt: skip

    @app.get("/api/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), mimetype="text/plain")

    return app


app = make_app()
