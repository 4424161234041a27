"""The `agent_info` document that an agent's AgentStatusWatcher writes, as far as it is used here.

Source: WMComponent/AgentStatusWatcher/AgentStatusPoller.py of WMCore 2.4.5, and documents of older and
newer agents. What is not listed is skipped.
"""

from collections.abc import Mapping
from typing import Annotated, TypeVar

from msgspec import Meta, Struct

T = TypeVar("T")

Short = Annotated[str, Meta(max_length=500)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Count = Annotated[int, Meta(ge=0, le=2**50)]
Priority = Annotated[int, Meta(ge=-(2**31), lt=2**31)]
By = Annotated[Mapping[Name, T], Meta(max_length=5000)]
"""By site, component or status: more there are not."""
Many = Annotated[list[T], Meta(max_length=1000)]


class Work(Struct, frozen=True):
    """Elements of a work queue."""

    sum_jobs: Count | None = None
    priority: Priority | None = None


class LocalQueue(Struct, frozen=True):
    """`LocalWQ_INFO`: the agent's own work queue, by the status of its elements."""

    workByStatusAndPriority: By[Many[Work]] | None = None  # noqa: N815 - the document's own names
    possibleJobsPerSite: By[By[Work]] | None = None  # noqa: N815
    uniqueJobsPerSite: By[By[Work]] | None = None  # noqa: N815


class JobTables(Struct, frozen=True):
    """`WMBS_INFO`: what is counted in the agent's database; only what that does not hold is read."""

    thresholdsGQ2LQ: By[Annotated[float, Meta(ge=0, le=2**50)]] | None = None  # noqa: N815


class Disk(Struct, frozen=True):
    """A file system that is almost full."""

    mounted: Short | None = None
    percent: Short | None = None


class Down(Struct, frozen=True):
    """A component that is down, with the worker that is to blame."""

    name: Name
    worker_name: Short | None = None
    state: Short | None = None
    error_message: str | None = None


class Process(Struct, frozen=True):
    """One process or thread of a component (Utils/ProcFS.py); `error`: why nothing is known of it."""

    process: Short | None = None
    status: Short | None = None
    error: Short | None = None


class AgentInfo(Struct, frozen=True):
    """One agent's document."""

    agent_url: Annotated[str, Meta(min_length=1, max_length=300)]
    """Its host, maybe with a port."""
    timestamp: float
    """When it was written, seconds since the epoch."""
    agent_team: Short | None = None
    agent_version: Short | None = None
    status: Short | None = None
    drain_mode: bool | None = None
    down_components: Many[Name] | None = None
    down_component_detail: Many[Down | str] | None = None
    components: By[Many[Process] | Process] | None = None
    """Older agents have none, or one process for each; newer ones list all of its processes."""
    disk_warning: Many[Disk | str] | None = None
    couch_process_warning: Count | None = None
    proxy_warning: str | None = None
    data_error: str | None = None
    """`ok`, or why its data could not be gathered."""
    WMBS_INFO: JobTables | None = None
    LocalWQ_INFO: LocalQueue | None = None
