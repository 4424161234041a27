"""`rcmon-cli sites --wmcore`: asks for what is printed as WMCore prints it."""

import fnmatch
from collections.abc import Sequence

from rcmon.terminal.answers import as_type
from rcmon.terminal.client import Client, part
from rcmon.terminal.failure import REFUSED, USAGE, TerminalError
from rcmon.terminal.session import Session
from rcmon.terminal.shapes import AgentSeen, HoldersSeen, SiteThresholdsSeen
from rcmon.terminal.wmcore import HEAD, site_lines
from rcmon.terminal.words import clean

_Sites = dict[str, dict[str, SiteThresholdsSeen]]


def tell_wmcore(session: Session, names: Sequence[str], globs: Sequence[str]) -> None:
    """Print thresholds of sites and agents whose names match. Raises TerminalError where no agent's does."""
    if session.out.form != "table":
        raise TerminalError("--wmcore has one form of output: leave -o out", USAGE)
    listed = session.client.pages("/agents", "agents")
    agents = as_type(listed.items, list[AgentSeen], "the list of agents")
    chosen = [one for one in agents if _matches(one.name, globs)]
    if globs and not chosen:
        raise TerminalError(f"there is no agent {' or '.join(globs)}", REFUSED)
    sites = _sites(session.client, chosen)
    session.out.write(HEAD)
    for site in sorted(name for name in sites if _matches(name, names)):
        holders = SlotHolders(session.client, site)
        for line in site_lines(site, sites[site], holders.of):
            session.out.write(f"{clean(line)}\n")
    for one in chosen:
        if one.stale:
            session.note(f"the data of {one.name} are old: as of {one.as_of}")
    # what is compared with WMCore's own output holds nothing else
    session.say_age(f"{len(sites)} sites", listed.document.get("timestamp"), aside=True)


def _sites(client: Client, agents: Sequence[AgentSeen]) -> _Sites:
    found: _Sites = {}
    for agent in agents:
        if not askable(agent.name):
            raise TerminalError(f"nobody can ask for an agent that is called {agent.name!r}", REFUSED)
        document = client.get(f"/agents/{part(agent.name)}/thresholds").document
        of_agent = as_type(document, dict[str, SiteThresholdsSeen], f"the thresholds of {agent.name}")
        for site, seen in of_agent.items():
            found.setdefault(site, {})[agent.name] = seen
    return found


class SlotHolders:
    """Who holds the slots at a site: asked once, and only where somebody does."""

    def __init__(self, client: Client, site: str) -> None:
        self._client, self._site = client, site
        self._found: dict[str, HoldersSeen] | None = None

    def of(self, task: str) -> HoldersSeen | None:
        """Tell for a task type."""
        if self._found is None and not askable(self._site):
            self._found = {}
        if self._found is None:
            answer = self._client.get(f"/sites/{part(self._site)}/workflows", missing=True)
            tasks = (answer.document or {}).get("tasks") or []
            seen = as_type(tasks, list[HoldersSeen], f"who holds the slots of {self._site}")
            self._found = {one.task: one for one in seen}
        return self._found.get(task)


def askable(name: str) -> bool:
    """Tell whether a name can stand in an address: the service takes none with control characters there."""
    return clean(name) == name


def _matches(name: str, globs: Sequence[str]) -> bool:
    return not globs or any(fnmatch.fnmatchcase(name, glob) for glob in globs)
