"""WMCore's own wmagent-resource-control -p, over an SQLite file of an agent.

Asks {database: path}, answers with what its printThresholds prints. Only the driver is replaced.
"""

import ast
import contextlib
import io
import sqlite3
import sys
from pathlib import Path

from stand_ins import answer, anything, question

anything(
    "classad2",
    "htcondor2",
    "WMCore.WMInit",
    "WMCore.Credential.Proxy",
    "WMCore.DAOFactory",
    "WMCore.FwkJobReport.Report",
    "WMCore.Services.TagCollector.TagCollector",
)

from WMCore.ResourceControl.MySQL.ListThresholdsForSubmit import ListThresholdsForSubmit  # noqa: E402
from WMCore.ResourceControl.MySQL.ListWorkloadsForTaskSite import ListWorkloadsForTaskSite  # noqa: E402


class Rows:
    """What a statement gave."""

    def __init__(self, cursor):
        self.keys = [column[0] for column in cursor.description]
        self.rows = cursor.fetchall()

    def fetchall(self):
        return self.rows

    def close(self):
        pass


class Database:
    """WMCore's driver, of SQLite."""

    def __init__(self, path):
        self.connection = sqlite3.connect(path)

    def processData(self, sql, binds=None, conn=None, transaction=False):  # noqa: N802 - the name is WMCore's
        return [Rows(self.connection.execute(sql, binds or {}))]


class ResourceControl:
    """What the script asks, answered by WMCore's own statements and sums."""

    def __init__(self, path):
        self.database = Database(path)

    def listThresholdsForSubmit(self):  # noqa: N802
        return self._action(ListThresholdsForSubmit).execute()

    def listWorkloadsForTaskSite(self, task, site):  # noqa: N802
        return self._action(ListWorkloadsForTaskSite).execute(task, site)

    def _action(self, kind):
        made = kind.__new__(kind)
        made.dbi = self.database
        return made


script = Path(sys.executable).parent / "wmagent-resource-control"
(wanted,) = (
    node
    for node in ast.parse(script.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.name == "printThresholds"
)
names = {}
exec(compile(ast.Module([wanted], []), str(script), "exec"), names)
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    names["printThresholds"](ResourceControl(question()["database"]), None)
answer(printed.getvalue())
