"""WMCore's own work queue, asked which elements it takes.

Asks a list of queues {limits: {site: jobs}, counts: {site: {priority: jobs}}, elements: [[site, priority,
jobs, blow-up factor]]}; answers for each with the numbers of the elements that `_evalAvailableWork` takes.
"""

import logging
import types

from stand_ins import answer, question
from WMCore.WorkQueue.WorkQueueBackend import WorkQueueBackend

WRAPPED = "WMCore.WorkQueue.DataStructs.WorkQueueElement.WorkQueueElement"


def document(number, element):
    """Make an element as CouchDB gives it."""
    site, priority, jobs, blow_up = element
    inner = {
        "RequestName": "request",
        "Status": "Available",
        "Priority": priority,
        "Jobs": jobs,
        "blowupFactor": blow_up,
        "NoInputUpdate": True,
        "NoPileupUpdate": True,
        "SiteWhitelist": [site],
    }
    return {"_id": str(number), "_rev": "1", "timestamp": number, "updatetime": 0, WRAPPED: inner}


def taken(backend, queue):
    """Give the numbers of the elements that are taken."""
    counts = {
        site: {int(priority): jobs for priority, jobs in by_priority.items()}
        for site, by_priority in queue["counts"].items()
    }
    documents = [document(number, element) for number, element in enumerate(queue["elements"])]
    elements = backend._evalAvailableWork(documents, queue["limits"], counts, [], len(documents))
    return [int(element.id) for element in elements]


# its constructor sets these, and needs a CouchDB
backend = WorkQueueBackend.__new__(WorkQueueBackend)
backend.logger = logging.getLogger("queue")
backend.queueUrl, backend.db = "queue", types.SimpleNamespace()
answer([taken(backend, queue) for queue in question()])
