"""How to ask for what a page shows from elsewhere: curl for its documents, PromQL for its series."""

import re
import shlex
from collections.abc import Mapping, Sequence

from msgspec import Struct

_HOST = re.compile(r"[A-Za-z0-9._\[\]:-]{1,255}")


class Question(Struct, frozen=True):
    """One line to copy."""

    what: str
    text: str


def curl(host: str, what: str, path: str) -> Question:
    """Write the line that asks for a path; `host` is what the browser asked for."""
    named = host if _HOST.fullmatch(host) else "localhost:5000"
    url = shlex.quote(f"https://{named}{path}")
    return Question(what, f"curl --cert me.pem --cacert ca.crt {url}")


def selector(family: str, labels: Mapping[str, str]) -> str:
    """Write the PromQL selector of a family's series with these labels."""
    written = ", ".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{family}{{{written}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def of_site(name: str) -> Sequence[Question]:
    """Write what Prometheus is asked about a site."""
    site = {"site": name}
    return [
        Question("running jobs, all agents", f"sum({selector('rcmon_site_running_jobs', site)})"),
        Question("running slots, all agents", f"sum({selector('rcmon_site_running_slots', site)})"),
        Question("pending jobs by agent", selector("rcmon_site_pending_jobs", site)),
        Question("its state in each agent", f"{selector('rcmon_site_state', site)} == 1"),
        Question("why no job is submitted", selector("rcmon_task_blocked", site)),
    ]


def of_agent(name: str) -> Sequence[Question]:
    """Write what Prometheus is asked about an agent."""
    agent = {"agent": name}
    heartbeat = selector("rcmon_worker_heartbeat_timestamp_seconds", agent)
    return [
        Question("workers that are not well", f"{selector('rcmon_worker_up', agent)} == 0"),
        Question("age of heartbeats", f"time() - {heartbeat}"),
        Question("jobs by state", selector("rcmon_agent_jobs", agent)),
        Question("running jobs by site", selector("rcmon_site_running_jobs", agent)),
        Question("values that are others than expected", selector("rcmon_drift", agent)),
        Question(
            "forecasts that missed, a day", f"increase({selector('rcmon_forecast_misses_total', agent)}[1d])"
        ),
    ]
