"""What Prometheus scrapes."""

from rcmon.access.roles import Role
from rcmon.web.answers.negotiation import exposition
from rcmon.web.answers.ready import Ready
from rcmon.web.api.contract import gives
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class MetricsHandler(Handler):
    """The exposition, in text 0.0.4 or OpenMetrics 1.0."""

    route = "/api/metrics"
    summary = "Everything as Prometheus metrics: text 0.0.4, or OpenMetrics 1.0 where Accept prefers it."
    immediate = True

    @requires(Role.READER)
    @gives(texts=("text/plain", "application/openmetrics-text"))
    def get(self) -> Ready:
        """Answer in the format that is asked for; a scrape changes nothing."""
        form = exposition(self.request.headers.get("Accept"))
        return self.services.exposition.ready(form)


HANDLERS = (MetricsHandler,)
