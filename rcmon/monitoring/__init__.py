"""What watches rcmon: alerts, recording rules, dashboards and runbooks, each described once.

`python -m rcmon.monitoring DIRECTORY` writes what Prometheus and Grafana read; the service serves the
runbooks.
"""
