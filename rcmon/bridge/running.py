"""The running bridge: it serves until it is asked to leave, and then ends what it has in hand."""

import asyncio
import logging
import signal
import time

from tornado.netutil import bind_sockets

from rcmon.bridge.answering import Answering
from rcmon.bridge.asking import Rcmon
from rcmon.bridge.loopback import LoopbackTLS
from rcmon.bridge.node import NodeFiles, follow_node
from rcmon.bridge.options import BridgeSettings, shown
from rcmon.bridge.outcomes import Outcomes
from rcmon.bridge.serving import Door, server
from rcmon.errors import ConfigError
from rcmon.process.notify import Notifier
from rcmon.process.pause import happens

LOG = logging.getLogger(__name__)

GRACE = 15.0
"""Seconds for what is in hand at a stop; systemd has more patience (TimeoutStopSec)."""
_BEAT = 5.0
"""Seconds between two looks at the clock and signs of life."""


async def serve(settings: BridgeSettings) -> None:
    """Serve until TERM or INT. Raises ConfigError for files that cannot be used, or a port that is taken."""
    node = follow_node(NodeFiles(settings.cert, settings.key, settings.ca))
    rcmon = Rcmon(settings.url, settings.agent, settings.timeout)
    outcomes, notifier = Outcomes(), Notifier()
    door = Door(settings.agent, settings.token_file, Answering(rcmon, node, settings.timeout), outcomes)
    tls = LoopbackTLS(settings.host, time.time())
    http = server(door, tls)
    try:
        sockets = bind_sockets(settings.port, settings.host)
    except OSError as error:
        raise ConfigError(f"--listen: {settings.host} port {settings.port}: {error.strerror}") from error
    http.add_sockets(sockets)
    stop = _stop_asked()
    LOG.info("listening at https://%s for agent %s", shown(*sockets[0].getsockname()[:2]), settings.agent)
    notifier.ready()
    while not stop.is_set():
        tls.renew(time.time())
        notifier.status(outcomes.last)
        notifier.alive(time.monotonic())
        await happens(stop, _BEAT)
    notifier.stopping()
    http.stop()
    await happens(door.idle, GRACE)
    await http.close_all_connections()
    rcmon.close()
    LOG.info("stopped")


def _stop_asked() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # all files are followed: there is nothing to read again
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    return stop
