"""What watches rcmon: alerts, recording rules and runbooks, each described once.

`python -m rcmon.monitoring DIRECTORY` writes what Prometheus reads; the service serves the
runbooks.
"""
