"""`--check`: whether the agent's configuration, the token, the certificate and rcmon fit together."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from rcmon.bridge.agent_config import leads_to, lines_to_change, said
from rcmon.bridge.answer import SLOTS, STATES, read
from rcmon.bridge.asking import Rcmon
from rcmon.bridge.chain import Chain
from rcmon.bridge.doubt import DoubtError
from rcmon.bridge.node import Node, NodeFiles, load_node
from rcmon.bridge.options import BridgeSettings
from rcmon.bridge.token import is_sent, read_token
from rcmon.errors import ConfigError, RcmonError

_QUESTION = '{{"query":{{"query_string":{{"query":"metadata.monit_hdfs_path: {metric}"}}}}}}\n'


class Verdict:
    """Lines for a person, and whether all of them are good."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.fits = True

    def good(self, text: str) -> None:
        """Add what fits."""
        self.lines.append(f"ok: {text}")

    def bad(self, text: str) -> None:
        """Add what does not."""
        self.lines.append(f"error: {text}")
        self.fits = False


async def examine(settings: BridgeSettings) -> tuple[list[str], bool]:
    """Look at everything once; gives lines for a person, and whether all fits together."""
    verdict = Verdict()
    token = _token(settings, verdict)
    node = _certificate(settings, verdict)
    if node is not None:
        await _service(settings, node, verdict)
    if settings.agent_config is not None:
        for text in _configuration(settings, token, verdict):
            verdict.bad(text)
    lines = ["the agent's configuration is to have these lines:"]
    lines += lines_to_change(settings.address, settings.agent, settings.token_file.absolute())
    return [*verdict.lines, *lines], verdict.fits


def _token(settings: BridgeSettings, verdict: Verdict) -> str | None:
    try:
        token = read_token(settings.token_file)
    except DoubtError as error:
        verdict.bad(str(error))
        return None
    verdict.good(f"{settings.token_file} holds a token of {len(token)} characters")
    return token


def _certificate(settings: BridgeSettings, verdict: Verdict) -> Node | None:
    try:
        node = load_node(NodeFiles(settings.cert, settings.key, settings.ca))
        node.check(time.time())
    except RcmonError as error:
        verdict.bad(str(error))
        return None
    until = datetime.fromtimestamp(node.not_after, UTC).isoformat()
    verdict.good(f"this node is {node.subject}, until {until}")
    return node


async def _service(settings: BridgeSettings, node: Node, verdict: Verdict) -> None:
    """Ask what an agent would ask in a cycle."""
    rcmon, chain = Rcmon(settings.url, settings.agent, settings.timeout), Chain()
    try:
        for metric in (STATES, SLOTS):
            asked = chain.begin(metric)
            answered = await rcmon.ask(_QUESTION.format(metric=metric).encode(), asked, node)
            rows = read(metric, answered.content, time.time())
            chain.take(answered.version, rows)
            verdict.good(f"rcmon gives {metric} of {len(rows.sites)} sites in version {answered.version}")
    except DoubtError as error:
        verdict.bad(str(error))
    finally:
        rcmon.close()


def _configuration(settings: BridgeSettings, token: str | None, verdict: Verdict) -> Iterator[str]:
    """Compare the agent's configuration with what leads it here; no value that may be secret is shown."""
    assert settings.agent_config is not None  # noqa: S101 - the caller looked
    try:
        found = said(settings.agent_config)
    except ConfigError as error:
        yield str(error)
        return
    url, dataset, sent = (found.get(key) for key in ("grafanaURL", "grafanaSSB", "grafanaToken"))
    if leads_to(url, settings.address):
        verdict.good(f"grafanaURL is {url}")
    else:
        yield f"grafanaURL is {url!r}, which does not lead to the bridge at https://{settings.address}"
    if dataset == settings.agent:
        verdict.good(f"grafanaSSB is {dataset}")
    else:
        yield f"grafanaSSB is {dataset!r}; right is {settings.agent!r}"
    if isinstance(sent, str) and sent.startswith("= ") and str(settings.token_file.absolute()) in sent:
        verdict.good("grafanaToken is read from the token's file")
    elif token is None or not is_sent(token, str(sent)):
        yield 'grafanaToken is not "Bearer " and the token of --token-file'
    else:
        verdict.good("grafanaToken is the token")
    if found.get("enabled", True) is not True:
        yield f"enabled is {found['enabled']!r}: the agent's updater does nothing"
