# ruff: noqa: N802, N803, N813 - the names are WMCore's
"""Rounds of WMCore's own ResourceControlUpdater over real databases, by its own statements.

Asks {rounds: [round]}; a round is {relay: [host, port], database, url, token, ssb, settings, tier0, drain,
reports: [agent_info]}. Only the driver is replaced: what WMCore would give it goes to `relay`, a line of JSON
for each statement. Killing jobs in HTCondor is left out. Answers how many statements there were.
"""

import json
import logging
import socket
import threading
import types

from stand_ins import answer, anything, module, question


class MySQLDialect:
    """Tells WMCore which of its statements to take."""


class Result:
    """What a statement gave, each row with the names of its columns, as SQLAlchemy's rows have them."""

    closed = False

    def __init__(self, names, rows):
        self.returns_rows = names is not None
        row = type("Row", (tuple,), {"keys": lambda _: names})
        self.rows = [row(values) for values in rows]

    def __iter__(self):
        return iter(self.rows)

    def close(self):
        self.closed = True


class Connection:
    """A connection of the real database, at the other end of a line."""

    closed = False
    statements = 0

    def __init__(self, relay, database):
        self.socket = socket.create_connection(tuple(relay))
        self.lines = self.socket.makefile("rwb")
        self.tell({"database": database})

    def tell(self, what):
        self.lines.write(json.dumps(what).encode() + b"\n")
        self.lines.flush()
        said = json.loads(self.lines.readline())
        if "error" in said:
            raise RuntimeError(said["error"])
        return said

    def execute(self, statement, binds=None):
        Connection.statements += 1
        said = self.tell({"statement": statement, "binds": binds})
        return Result(said["names"], said["rows"])

    def begin(self):
        self.tell({"do": "begin"})
        return self

    def commit(self):
        self.tell({"do": "commit"})

    def rollback(self):
        self.tell({"do": "rollback"})

    def close(self):
        self.closed = True
        self.lines.close()
        self.socket.close()


class Engine:
    dialect = MySQLDialect()

    def __init__(self, relay, database):
        self.place = relay, database

    def connect(self):
        return Connection(*self.place)


class BossAir:
    """Where changeSiteState has jobs killed that are in the batch system."""

    def __init__(self, config):
        pass

    def updateSiteInformation(self, jobs, site, drain):
        return []

    def kill(self, jobs, errorCode):
        pass


class CRIC:
    def PSNtoPNNMap(self, pattern):
        return {}


class Base:
    def __init__(self):
        pass


module("oracledb", init_oracle_client=lambda *_, **__: None, version="0")
module("WMCore.Database.Dialects", MySQLDialect=MySQLDialect, OracleDialect=type("OracleDialect", (), {}))
module("WMCore.BossAir.BossAirAPI", BossAirAPI=BossAir)
module("WMCore.Services.CRIC.CRIC", CRIC=CRIC)
module("WMCore.Services.ReqMgrAux.ReqMgrAux", isDrainMode=lambda config: config.drain)
module("WMCore.WorkerThreads.BaseWorkerThread", BaseWorkerThread=Base)
module("Utils.wmcoreDTools", resetWatchdogTimer=lambda _: 0, moduleName=lambda _: "updater")
anything("WMCore.Database.CMSCouch", "WMCore.Lexicon", "WMCore.Services.RequestDB.RequestDBReader")

from WMComponent.AgentStatusWatcher import ResourceControlUpdater as updating  # noqa: E402
from WMCore.Database.MySQLCore import MySQLInterface  # noqa: E402
from WMCore.Services.WMStats.WMStatsReader import WMStatsReader  # noqa: E402


class Reader(WMStatsReader):
    """WMCore's reader of WMStats; the view's rows are the round's."""

    reports = None

    def __init__(self, url):
        pass

    def _getAgentInfo(self):
        return {"rows": [{"value": report} for report in self.reports]}


updating.WMStatsReader = Reader


def run(asked):
    """Let the updater do one round."""
    logger, thread = logging.getLogger(), threading.current_thread()
    thread.logger = logger
    thread.dbi = MySQLInterface(logger, Engine(asked["relay"], asked["database"]))
    if hasattr(thread, "transaction"):
        del thread.transaction
    settings, namespace = asked["settings"], types.SimpleNamespace
    watcher = namespace(
        grafanaToken=asked["token"],
        grafanaURL=asked["url"],
        grafanaSSB=asked["ssb"],
        onlySSB=settings["only_ssb"],
        forceSiteDown=settings["force_site_down"],
        pendingSlotsSitePercent=settings["pending_slots_site_percent"],
        pendingSlotsTaskPercent=settings["pending_slots_task_percent"],
        runningExpressPercent=settings["running_express_percent"],
        runningRepackPercent=settings["running_repack_percent"],
        t1SitesCores=settings["t1_sites_cores"],
        enabled=settings["enabled"],
    )
    config = namespace(
        AgentStatusWatcher=watcher,
        Agent=namespace(teamName=settings["team"]),
        General=namespace(centralWMStatsURL="none"),
        drain=asked["drain"],
    )
    if asked["tier0"]:
        config.Tier0Feeder = namespace()
    Connection.statements, Reader.reports = 0, asked["reports"]
    updating.ResourceControlUpdater(config).algorithm(None)
    return Connection.statements


answer([run(one) for one in question()["rounds"]])
