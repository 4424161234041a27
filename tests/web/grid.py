"""A snapshot of a grid as it is: real-looking names, states that differ, a source that fails."""

from random import Random

from rcmon.model import (
    Agent,
    AgentSite,
    Finding,
    Jobs,
    Override,
    OverrideChange,
    Site,
    Snapshot,
    SourceState,
    SpotChange,
    Task,
)

NOW = 1_767_268_800.0
"""The clock of the tests: 2026-01-01T12:00:00Z."""
SITES = [
    "T0_CH_CERN",
    "T1_DE_KIT",
    "T1_ES_PIC",
    "T1_FR_CCIN2P3",
    "T1_IT_CNAF",
    "T1_UK_RAL",
    "T1_US_FNAL",
    "T2_AT_Vienna",
    "T2_BE_IIHE",
    "T2_BE_UCL",
    "T2_BR_SPRACE",
    "T2_BR_UERJ",
    "T2_CH_CERN",
    "T2_CH_CERN_HLT",
    "T2_CH_CSCS",
    "T2_CN_Beijing",
    "T2_DE_DESY",
    "T2_DE_RWTH",
    "T2_EE_Estonia",
    "T2_ES_CIEMAT",
    "T2_ES_IFCA",
    "T2_FI_HIP",
    "T2_FR_GRIF",
    "T2_FR_IPHC",
    "T2_GR_Ioannina",
    "T2_HU_Budapest",
    "T2_IN_TIFR",
    "T2_IT_Bari",
    "T2_IT_Legnaro",
    "T2_IT_Pisa",
    "T2_IT_Rome",
    "T2_KR_KISTI",
    "T2_PK_NCP",
    "T2_PL_Swierk",
    "T2_PT_NCG_Lisbon",
    "T2_RU_JINR",
    "T2_TR_METU",
    "T2_TW_NCHC",
    "T2_UA_KIPT",
    "T2_UK_London_Brunel",
    "T2_UK_London_IC",
    "T2_UK_SGrid_RALPP",
    "T2_US_Caltech",
    "T2_US_Florida",
    "T2_US_MIT",
    "T2_US_Nebraska",
    "T2_US_Purdue",
    "T2_US_UCSD",
    "T2_US_Vanderbilt",
    "T2_US_Wisconsin",
    "T3_CH_PSI",
    "T3_IT_Trieste",
    "T3_KR_KNU",
    "T3_UK_London_QMUL",
    "T3_US_Baylor",
    "T3_US_Colorado",
    "T3_US_NERSC",
    "T3_US_OSG",
    "T3_US_PSC",
    "T3_US_TACC",
    "T3_US_UMD",
    "T3_US_UMiss",
]
AGENTS = ("cmsgwms-submit4", "vocms0281", "vocms0282")
TASKS = {"Cleanup": 1, "LogCollect": 2, "Merge": 4, "Processing": 0, "Production": 0}
STATES = {"T2_UA_KIPT": "Down", "T2_RU_JINR": "Down", "T3_US_PSC": "Aborted"} | dict.fromkeys(
    ("T1_UK_RAL", "T2_FR_GRIF", "T2_TR_METU", "T3_IT_Trieste"), "Draining"
)
DIFFERING = {"T2_US_MIT": "vocms0281", "T2_KR_KISTI": "cmsgwms-submit4"}
"""Sites that one agent holds as draining and the others as normal."""
STATELESS = "T3_US_UMiss"
"""A site whose state and slots no agent knows."""

OVERRIDDEN = OverrideChange(
    1,
    NOW - 600,
    "/DC=ch/CN=operator",
    "set together",
    tuple(
        SpotChange(
            site, agent, None, Override(site, agent, "Normal", None, None, "latched", None, "r", who, at, 1)
        )
        for site, agent, who, at in (
            ("T1_US_FNAL", None, "/DC=ch/CN=operator", NOW - 600),
            ("T1_US_FNAL", "vocms0281", "/DC=ch/CN=operator", NOW - 600),
        )
    ),
)
"""What an operator set at a site, and in one agent at it."""


def make_snapshot(started: float = NOW - 12, interval: float = 60.0, seed: int = 7) -> Snapshot:
    random = Random(seed)
    agents = {name: _agent(random, name, started) for name in AGENTS}
    sources = (
        SourceState("cmsgwms-submit4", "wmagent", True, False, started, 0.21, None),
        SourceState("vocms0281", "wmagent", True, False, started, 0.347, None, 2),
        SourceState("vocms0282", "wmagent", False, True, started - 180, 10.0, "no answer within 10 s", 31),
    )
    findings = (
        Finding("null_slots", "vocms0281", f"site {STATELESS} has no running slots", 1, STATELESS, id="a1"),
        Finding(
            "state_differs",
            None,
            "the agents hold T2_US_MIT in different states",
            1,
            "T2_US_MIT",
            severity="warning",
            id="b2",
        ),
    )
    sites = {name: _site(name, agents) for name in SITES}
    return Snapshot(started, 0.412, interval, sources, agents, sites, findings)


def _agent(random: Random, name: str, started: float) -> Agent:
    sites = {site: _agent_site(random, site, name, started) for site in SITES}
    return Agent(name=name, polled_at=started, sites=sites, hostname=f"{name}.cern.ch", version="2.4.1")


def _agent_site(random: Random, site: str, agent: str, started: float) -> AgentSite:
    cores = {"T0": 4000, "T1": 2600, "T2": 900, "T3": 150}[site[:2]] * random.randint(60, 140) // 100
    known = site != STATELESS
    state = "Draining" if DIFFERING.get(site) == agent else STATES.get(site, "Normal")
    busy = 0.05 if state in ("Down", "Aborted") else random.choice((0.2, 0.7, 0.9, 1.1))
    return AgentSite(
        name=site,
        state=state if known else None,
        state_time=started - random.randrange(10**6),
        cms_name=site,
        plugin="SimpleCondorPlugin",
        running_slots=cores if known else None,
        pending_slots=max(cores // 3, 50) if known else None,
        pnns=(f"{site}_Disk",),
        tasks={name: _task(random, cores, busy, priority) for name, priority in TASKS.items()},
    )


def _task(random: Random, cores: int, busy: float, priority: int) -> Task:
    running = int(cores * busy * random.random() / 2.5)
    jobs = Jobs(int(running * random.random()), running, random.randrange(3), random.randrange(9))
    return Task(cores, max(cores // 3, 50), priority, jobs, 110_000 if running else None)


def _site(name: str, agents: dict[str, Agent]) -> Site:
    seen = {agent: agents[agent].sites[name] for agent in agents}
    states: dict[str, tuple[str, ...]] = {}
    for agent, site in seen.items():
        if site.state is not None:
            states[site.state] = (*states.get(site.state, ()), agent)
    slots = [site.running_slots for site in seen.values() if site.running_slots is not None]
    pending = [site.pending_slots for site in seen.values() if site.pending_slots is not None]
    return Site(
        name=name,
        tier=name[:2],
        state=next(iter(states)) if len(states) == 1 else None,
        states=states,
        running_slots=sum(slots) if slots else None,
        pending_slots=sum(pending) if pending else None,
        jobs=sum((site.jobs for site in seen.values()), Jobs()),
        agents=seen,
    )
