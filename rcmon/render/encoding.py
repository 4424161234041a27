"""What the JSON documents have in common."""

from collections.abc import Mapping

from msgspec.json import encode

from rcmon.documents.deflated import complete
from rcmon.documents.shapes import JobCounts
from rcmon.model import Document, Jobs

JSON = "application/json"


def json_document(key: str, content: object, previous: Mapping[str, Document]) -> Document:
    """Encode a document compactly; it ends with a newline."""
    return complete(key, JSON, encode(content) + b"\n", previous)


def job_counts(jobs: Jobs) -> JobCounts:
    """Shape jobs by class."""
    return JobCounts(jobs.pending, jobs.running, jobs.error, jobs.complete, jobs.unknown)
