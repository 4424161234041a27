"""A real Prometheus scrapes the service over mutual TLS and finds its series."""

import json
import urllib.error
import urllib.parse
import urllib.request

import pytest

from tests.integration.running import running, until
from tests.servers import prometheus

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: rcmon
    scheme: https
    metrics_path: /wm_resource_monitor/api/metrics
    tls_config: {{ca_file: ca.crt, cert_file: reader.crt, key_file: reader.key}}
    static_configs: [{{targets: ["localhost:{port}"]}}]
"""


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    """Run the demo and a Prometheus that scrapes it."""
    directory = tmp_path_factory.mktemp("demo")
    with running(directory, "--demo", "--workers", "2", "--cycle-interval", "1") as service:
        files = {name: (service.pki / name).read_text() for name in ("ca.crt", "reader.crt", "reader.key")}
        with prometheus(CONFIG.format(port=service.port), files) as server:
            yield server.port


def query(port, expression):
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        if error.code == 503:  # it is busy, or not ready yet: whoever asks waits
            return []
        raise


def value(port, expression):
    found = until(lambda: query(port, expression), expression)
    return float(found[0]["value"][1])


def test_the_scrape_succeeds(scraped):
    until(lambda: (up := query(scraped, "up")) and up[0]["value"][1] == "1", "up")
    assert value(scraped, "scrape_samples_scraped") > 5000


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("count(rcmon_source_up == 1)", 16),
        ("count(count by (agent) (rcmon_site_running_jobs))", 9),
        ('max(sum by (agent, site) (rcmon_site_state{agent="vocms0281"}))', 1),
        ("count(rcmon_build_info)", 1),
    ],
)
def test_its_series_are_what_they_should_be(scraped, expression, expected):
    until(lambda: value(scraped, expression) == expected, expression)


def test_the_service_counts_the_scrapes(scraped):
    name = 'rcmon_http_requests_total{route="/api/metrics",method="GET",code="200"}'
    until(lambda: value(scraped, name) >= 2, name)
