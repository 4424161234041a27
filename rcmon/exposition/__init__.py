"""The text formats of Prometheus: families, samples, and how both are written."""
