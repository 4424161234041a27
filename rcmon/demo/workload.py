"""Workflows for the demo's agents: requests with their tasks, subscriptions, input files and site lists."""

from collections.abc import Iterator, Mapping
from random import Random

from msgspec import Struct

from rcmon.demo.sites import SITES

REQUESTS = 26
FILES_PER_SUBSCRIPTION = 2
_CAMPAIGNS = (
    "RunIII2024Summer24",
    "Run3Summer23BPix",
    "RunIISummer20UL18",
    "Phase2Spring24",
    "HINPbPbAutumn24",
)
_DATASETS = ("JetMET0", "Muon1", "EGamma0", "BTagMu", "ParkingDoubleMuonLowMass2", "ZeroBias", "Tau")
_GROUPS = ("HIG", "TOP", "EXO", "B2G", "SMP", "BPH", "SUS", "TSG")
_PRIORITIES = (63000, 80000, 85000, 90000, 110000, 111000, 130000, 200000, 316000)
_SIMULATION_TASKS = {
    "Production": "GenSimFull",
    "Merge": "GenSimFullMergeAODSIMoutput",
    "LogCollect": "LogCollectForGenSimFull",
    "Cleanup": "GenSimFullCleanupUnmergedAODSIMoutput",
    "Harvesting": "GenSimFullMergeDQMoutputEndOfRunDQMHarvestMerged",
}
_DATA_TASKS = {
    "Processing": "DataProcessing",
    "Merge": "DataProcessingMergeAODoutput",
    "LogCollect": "LogCollectForDataProcessing",
    "Cleanup": "DataProcessingCleanupUnmergedAODoutput",
    "Harvesting": "DataProcessingMergeDQMoutputEndOfRunDQMHarvestMerged",
    "Skim": "DataProcessingMergeAODoutputZMuSkim",
}


class Subscription(Struct, frozen=True):
    """One task of one request: what makes a `wmbs_workflow`, a `wmbs_subscription` and a `wmbs_jobgroup`."""

    request: str
    task: str
    """The task's path, as in `wmbs_workflow.task`."""
    kind: str
    """The task type."""
    priority: int
    valid: Mapping[str, bool]
    """Sites listed for (True) or against (False) it; none listed for it: all others will do."""
    files: tuple[tuple[str, ...], ...]
    """Input files, each as the storage elements that hold it."""


def subscriptions(rng: Random) -> Iterator[Subscription]:
    """Make up the workload of one agent."""
    for number in range(REQUESTS):
        simulation = rng.random() < 0.6  # noqa: PLR2004 - most of the work is Monte Carlo
        request = _simulation_name(rng, number) if simulation else _data_name(rng, number)
        tasks = _SIMULATION_TASKS if simulation else _DATA_TASKS
        priority = rng.choice(_PRIORITIES)
        valid = _site_list(rng)
        holders = _storage(rng)
        first = next(iter(tasks.values()))
        for kind, name in tasks.items():
            path = f"/{request}/{name}" if name == first else f"/{request}/{first}/{name}"
            files = tuple(holders for _ in range(FILES_PER_SUBSCRIPTION))
            yield Subscription(request, path, kind, priority, valid, files)


def _simulation_name(rng: Random, number: int) -> str:
    """Name a request of Monte Carlo production as the production system does."""
    prepid = f"{rng.choice(_GROUPS)}-{rng.choice(_CAMPAIGNS)}GS-{rng.randrange(1, 400):05d}"
    return f"cmsunified_task_{prepid}__v1_T_{_stamp(rng)}_{1000 + number}"


def _data_name(rng: Random, number: int) -> str:
    """Name a request that processes data again."""
    era = f"Run2024{rng.choice('CDEFGHI')}"
    return f"pdmvserv_{era}_{rng.choice(_DATASETS)}_ReReco_{_stamp(rng)}_{1000 + number}"


def _stamp(rng: Random) -> str:
    """Make up the date and time in a request's name."""
    day = f"26{rng.randrange(1, 7):02d}{rng.randrange(1, 29):02d}"
    return f"{day}_{rng.randrange(24):02d}{rng.randrange(60):02d}{rng.randrange(60):02d}"


def _site_list(rng: Random) -> dict[str, bool]:
    """List sites for a request (a third of them), against it (a third), or none."""
    draw = rng.randrange(3)
    if draw == 0:
        return {site.name: True for site in rng.sample(SITES, 60)}
    if draw == 1:
        return {site.name: False for site in rng.sample(SITES, 8)}
    return {}


def _storage(rng: Random) -> tuple[str, ...]:
    """Choose the storage elements that hold a request's input."""
    every = sorted({pnn for site in SITES for pnn in site.pnns})
    return tuple(sorted(rng.sample(every, rng.randrange(12, 48))))
