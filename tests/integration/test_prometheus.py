"""A real Prometheus scrapes the service over mutual TLS, and a real Alertmanager says what it finds."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import NamedTuple

import pytest

from rcmon.demo.demo import NOW_AND_THEN
from rcmon.monitoring.described import dashboards
from tests.deployment.scraping import discovered
from tests.integration.paging import Pages, paging
from tests.integration.running import PROJECT, running, until
from tests.servers import alertmanager, prometheus

CONFIG = """
global: {{scrape_interval: 3s, scrape_timeout: 3s, evaluation_interval: 3s}}
rule_files: [recording.yml, alerts.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]}}
scrape_configs:
  - job_name: rcmon
    scheme: https
    metrics_path: /wm_resource_monitor/api/metrics
    tls_config: {{ca_file: ca.crt, cert_file: reader.crt, key_file: reader.key}}
    static_configs: [{{targets: ["localhost:{port}"]}}]
"""
CONF = PROJECT / "conf" / "prometheus"
DEAD = "wmagent-silent"
"""An agent of the demo whose workers are all silent."""


class Scraped(NamedTuple):
    """A Prometheus, the service that it scrapes, and the files that it has."""

    port: int
    service: int
    files: Mapping[str, str]


def hastened(rules: str) -> str:
    """Let alerts be raised at once: the tests of the rules themselves hold how long they wait."""
    return re.sub(r"^ +for: .*\n", "", rules, flags=re.MULTILINE)


def routed(pager: int) -> str:
    """Let Alertmanager's example send to us, after a few evaluations."""
    text = (CONF / "alertmanager.yml").read_text()
    text = re.sub(r"https://(\w+)\.example\.org/rcmon", rf"http://127.0.0.1:{pager}/\1", text)
    return re.sub(r"(group_wait|group_interval): \w+", r"\1: 20s", text)


@pytest.fixture(scope="module")
def pages():
    """Take what Alertmanager sends."""
    with paging() as taken:
        yield taken


@pytest.fixture(scope="module")
def manager(pages):
    """Run an Alertmanager with the example that conf has."""
    with alertmanager(routed(pages.port)) as server:
        yield server.port


@pytest.fixture(scope="module")
def scraped(tmp_path_factory, manager):
    """Run the demo and a Prometheus that scrapes it, with the rules that conf has."""
    directory = tmp_path_factory.mktemp("demo")
    with running(directory, "--demo", "--workers", "2", "--cycle-interval", "3") as service:
        files = {name: (service.pki / name).read_text() for name in ("ca.crt", "reader.crt", "reader.key")}
        files |= {name: hastened((CONF / name).read_text()) for name in ("recording.yml", "alerts.yml")}
        with prometheus(CONFIG.format(port=service.port, alertmanager=manager), files) as server:
            yield Scraped(server.port, service.port, files)


def query(port, expression):
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(url, timeout=300) as answer:
            return json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        if error.code == 503:  # it is busy, or not ready yet: whoever asks waits
            return []
        raise


def value(port, expression):
    found = until(lambda: query(port, expression), expression)
    return float(found[0]["value"][1])


def test_the_scrape_succeeds(scraped):
    until(lambda: (up := query(scraped.port, "up")) and up[0]["value"][1] == "1", "up")
    assert value(scraped.port, "scrape_samples_scraped") > 5000


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (f'count(rcmon_source_up{{source!="{NOW_AND_THEN}"}} == 1)', 19),
        ("count(count by (agent) (rcmon_site_running_jobs))", 11),
        ('max(sum by (agent, site) (rcmon_site_state{agent="vocms0281"}))', 1),
        ("count(rcmon_build_info)", 1),
    ],
)
def test_its_series_are_what_they_should_be(scraped, expression, expected):
    until(lambda: value(scraped.port, expression) == expected, expression)


def test_the_service_counts_the_scrapes(scraped):
    name = 'rcmon_http_requests_total{route="/api/metrics",method="GET",code="200"}'
    until(lambda: value(scraped.port, name) >= 2, name)


@pytest.fixture(scope="module")
def discovering(scraped):
    """Run a Prometheus beside it that asks the service for its targets, as conf shows."""
    port, files = scraped.service, scraped.files
    (job,) = discovered((CONF / "prometheus.yml").read_text())["scrape_configs"]
    tls = {"ca_file": "ca.crt", "cert_file": "reader.crt", "key_file": "reader.key"}
    (asked,) = job["http_sd_configs"]
    asked |= {"tls_config": tls, "refresh_interval": "3s"}
    asked["url"] = asked["url"].replace("rcmon.example.org:5000", f"localhost:{port}")
    job |= {"tls_config": tls, "scrape_interval": "3s", "scrape_timeout": "3s"}
    config = {
        "global": {"evaluation_interval": "3s"},
        "rule_files": ["recording.yml", "alerts.yml"],
        "scrape_configs": [job],
    }
    with prometheus(json.dumps(config), files) as server:
        until(lambda: value(server.port, "min(up)") == 1, "every target")
        yield server.port


def test_agents_scraped_by_themselves_give_the_same_series(scraped, discovering):
    """None twice, none missing, whoever has been asked."""
    series = (
        'sort(count by (__name__) ({__name__=~"rcmon_(site|task|agent|worker|cycle|source|drift|build).*"}))'
    )

    def counts(port):
        return {one["metric"]["__name__"]: one["value"][1] for one in query(port, series)}

    until(lambda: len(counts(scraped.port)) > 20 and counts(scraped.port) == counts(discovering), "the same")
    agents = {one["metric"]["instance"] for one in query(discovering, "up")}
    assert DEAD in agents
    assert "common" in agents
    assert len(agents) == value(discovering, "count(count by (agent) (rcmon_agent_info))") + 2


@pytest.mark.parametrize(
    "expression",
    [
        'count by (alertname) (ALERTS{alertstate="firing", alertname=~"Agent.*|RcmonSource.*"})',
        "count(agent:rcmon_site_running_slots:sum)",
        "sum(agent:rcmon_site_running_slots:sum)",
        "count(reason:rcmon_task_blocked:count)",
    ],
)
def test_rules_hold_whichever_way_it_is_scraped(scraped, discovering, expression):
    def told(port):
        return {json.dumps(one["metric"]): one["value"][1] for one in query(port, expression)}

    until(lambda: told(scraped.port) and told(scraped.port) == told(discovering), expression)


def of_all(expression):
    """Fill a query in as Grafana does where all is chosen."""
    filled = expression.replace("$__rate_interval", "15s")
    return filled.replace("$agent", ".+").replace("$site", ".+")


PANELS = [(one.name, panel) for one in dashboards() for row in one.row for panel in row.panel]


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=lambda one: getattr(one, "title", one))
def test_a_panel_has_something_to_show(scraped, board, panel):
    """Or its description says why not; every query is one that Prometheus understands."""
    for asked in panel.asked:
        expression = of_all(asked.expr)
        if panel.empty:
            query(scraped.port, expression)
        else:
            until(lambda expression=expression: query(scraped.port, expression), expression)


def test_panels_that_may_be_empty_are_few_and_mostly_are_not(scraped):
    """The demo has an example of nearly everything."""
    may = [panel for _, panel in PANELS if panel.empty]
    assert len(may) < len(PANELS) / 3

    def filled():
        asked = [of_all(one.expr) for panel in may for one in panel.asked]
        return sum(bool(query(scraped.port, one)) for one in asked) > len(may) / 2

    until(filled, "most panels that may be empty")


def alerts(manager):
    """Give what Alertmanager knows."""
    with urllib.request.urlopen(f"http://127.0.0.1:{manager}/api/v2/alerts", timeout=300) as answer:
        return json.load(answer)


def test_a_dead_agent_is_one_page(scraped: Scraped, manager: int, pages: Pages) -> None:
    """Its workers are many, and more than one rule finds something wrong with it."""
    assert value(scraped.port, f'count(rcmon_worker_up{{agent="{DEAD}"}} == 0)') > 5

    def inhibited():
        mine = [one for one in alerts(manager) if one["labels"].get("agent") == DEAD]
        return [one for one in mine if one["status"]["inhibitedBy"]]

    until(inhibited, "an alert that follows from the agent's death")
    until(lambda: pages.of("pager", DEAD), "the page")
    told = {alert["labels"]["alertname"] for page in pages.of("pager", DEAD) for alert in page["alerts"]}
    assert told == {"AgentDown"}
    assert pages.of("tickets", DEAD) == []


def test_what_a_page_says_leads_to_its_runbook(scraped: Scraped, pages: Pages) -> None:
    (page, *_) = until(lambda: pages.of("pager", DEAD), "the page")
    said = page["alerts"][0]["annotations"]
    assert said["summary"] == f"{DEAD}: no component works."
    assert said["runbook_url"].endswith("/wm_resource_monitor/runbooks/AgentDown")
    assert said["description"]
