"""WMCore's own limit of an agent's executing jobs, by which JobSubmitter begins a cycle or does not.

Asks a list of [executing, MAX_JOBS_PER_OWNER, CondorJobsFraction], answers with what `availableScheddSlots`
says of each. What it counts and asks of others, the database and HTCondor, is what is asked about.
"""

from stand_ins import answer, module, question


class DAOFactory:
    """Counts what is asked about."""

    executing = 0

    def __init__(self, **_):
        pass

    def __call__(self, classname):
        assert classname == "Jobs.GetCountByState"
        return self

    def execute(self, state):
        assert state == "executing"
        return self.executing


class Schedd:
    """Says what is asked about."""

    most = 0


def param(name):
    assert name == "MAX_JOBS_PER_OWNER"
    return str(Schedd.most)


module("WMCore.DAOFactory", DAOFactory=DAOFactory)
module("WMCore.Services.PyCondor.PyCondorAPI", getScheddParamValue=param)

from WMComponent.JobSubmitter.JobSubmitAPI import availableScheddSlots  # noqa: E402


def slots(executing, most, fraction):
    """Ask once."""
    DAOFactory.executing, Schedd.most = executing, most
    return availableScheddSlots(None, condorFraction=fraction)


answer([slots(*asked) for asked in question()])
