"""`python -m rcmon.monitoring DIRECTORY [--url URL]`: writes what Prometheus and Grafana read."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from rcmon.monitoring.dashboards import dashboard
from rcmon.monitoring.described import alerts, dashboards, recordings
from rcmon.monitoring.rules import URL, alert_rules, recording_rules


def files(url: str = URL) -> Mapping[str, str]:
    """Give every file that is written, by its path below the directory."""
    return {
        "prometheus/alerts.yml": alert_rules(alerts(), url),
        "prometheus/recording.yml": recording_rules(recordings()),
        **{f"grafana/{one.name}.json": dashboard(one, url) for one in dashboards()},
    }


def main() -> None:
    """Write all files below the directory."""
    parser = argparse.ArgumentParser(prog="python -m rcmon.monitoring", description=__doc__)
    parser.add_argument("directory", type=Path, help="where the files go, such as conf")
    parser.add_argument("--url", default=URL, help="where people reach rcmon, for links in notifications")
    given = parser.parse_args()
    for name, text in files(given.url.rstrip("/")).items():
        path: Path = given.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
