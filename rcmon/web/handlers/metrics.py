"""What Prometheus scrapes."""

from collections.abc import Awaitable

from rcmon.access.roles import Role
from rcmon.documents import keys
from rcmon.documents.pieces import PiecesIndex
from rcmon.web.answers.negotiation import exposition
from rcmon.web.answers.ready import Ready
from rcmon.web.api.contract import gives
from rcmon.web.api.scrape import ScrapeQuery
from rcmon.web.api.targets import TargetGroup, targets
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class MetricsHandler(Handler):
    """The exposition, in text 0.0.4 or OpenMetrics 1.0."""

    route = "/api/metrics"
    summary = (
        "Everything as Prometheus metrics, or a part, some agents, some families: text 0.0.4, or OpenMetrics"
        " 1.0 where Accept prefers it."
    )
    query: ScrapeQuery
    immediate = True

    @requires(Role.READER)
    @gives(texts=("text/plain", "application/openmetrics-text"))
    def get(self) -> Ready | Awaitable[Ready]:
        """Answer in the format that is asked for; a scrape changes nothing."""
        form = exposition(self.request.headers.get("Accept"))
        if self.query == self.reader.nothing:
            return self.services.exposition.ready(form)
        return self.services.exposition.chosen(form, self.query)


class TargetsHandler(Handler):
    """Where to scrape it."""

    route = "/api/http_sd"
    summary = (
        "Targets for Prometheus's http_sd: one for each agent, one for what is common to them, one for each"
        " replica's own part."
    )

    @requires(Role.READER)
    @gives(list[TargetGroup])
    async def get(self) -> Ready:
        """Answer with addresses as `Host` was asked, and the replicas as they are configured."""
        index = await self.held().decoded(keys.METRICS_INDEX, PiecesIndex)
        asked = self.request.headers.get("Host", "localhost")
        return self.json(targets(asked, index.agents, self.services.about.replicas))


HANDLERS = (MetricsHandler, TargetsHandler)
