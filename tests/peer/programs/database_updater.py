# ruff: noqa: N802, N803 - the names are WMCore's
"""Rounds of WMCore's own ResourceControlUpdater over real databases, by its own statements.

Asks {rounds: [round]}; a round is {relay: [host, port], database, url, token, ssb, settings, tier0, drain,
reports: [agent_info]}. Only the driver is replaced: what WMCore would give it goes to `relay`, a line of JSON
for each statement. Killing jobs in HTCondor is left out. Answers how many statements there were.
"""

import json
import logging
import socket
import threading

from stand_ins import answer, module, question


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


module("WMCore.Database.Dialects", MySQLDialect=MySQLDialect, OracleDialect=type("OracleDialect", (), {}))
module("WMCore.BossAir.BossAirAPI", BossAirAPI=BossAir)

from rounds import update  # noqa: E402
from WMCore.Database.MySQLCore import MySQLInterface  # noqa: E402


def run(asked):
    """Let the updater do one round; how many statements it took."""
    logger, thread = logging.getLogger(), threading.current_thread()
    thread.logger = logger
    thread.dbi = MySQLInterface(logger, Engine(asked["relay"], asked["database"]))
    if hasattr(thread, "transaction"):
        del thread.transaction
    Connection.statements = 0
    update(asked, asked["url"], asked["token"])
    return Connection.statements


answer([run(one) for one in question()["rounds"]])
