"""Which WMAgent this is, and which of its files are not as they were published.

Answers {version, files, changed: [path]}; asks nothing.
"""

import base64
import hashlib
from importlib.metadata import distribution

from stand_ins import answer, question

question()
wmagent = distribution("wmagent")
files = [file for file in wmagent.files if file.hash and file.suffix == ".py"]


def changed(file):
    digest = hashlib.new(file.hash.mode, file.locate().read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value


answer(
    {
        "version": wmagent.version,
        "files": len(files),
        "changed": [str(file) for file in files if changed(file)],
    }
)
