"""Load by `ab`, which costs the machine little itself."""

import csv
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from client import Endpoint, Result


def is_installed() -> bool:
    """Tell whether ab is there."""
    return shutil.which("ab") is not None


def run(
    endpoint: Endpoint, connections: int, seconds: float, *, keep: bool, progress: Callable[[float], None]
) -> Result:
    """Run ab for so many seconds; raises RuntimeError with its words where it fails."""
    with tempfile.TemporaryDirectory() as directory:
        table = Path(directory) / "percentiles.csv"
        command = ["ab", "-q", "-l", *(["-k"] if keep else []), "-c", str(connections)]
        command += ["-t", str(int(seconds)), "-n", "9999999", "-E", endpoint.pem, "-e", str(table)]
        for field in endpoint.fields:
            command += ["-H", field]
        start, said = time.perf_counter(), Path(directory) / "output"
        # a file takes all it says of failed connections; a pipe that nobody reads would stop it
        with said.open("w") as output:
            process = subprocess.Popen([*command, endpoint.url], stdout=output, stderr=output)
            while process.poll() is None:
                progress(min(1.0, (time.perf_counter() - start) / seconds))
                time.sleep(0.2)
        if process.returncode:
            raise RuntimeError(f"ab failed: {said.read_text().strip()[-2000:]}")
        return _read(said.read_text(), table)


def _read(output: str, table: Path) -> Result:
    def number(pattern: str) -> float:
        match = re.search(pattern, output)
        return float(match[1]) if match else 0.0

    result = Result(
        requests=int(number(r"Complete requests:\s+(\d+)")),
        errors=int(number(r"Failed requests:\s+(\d+)") + number(r"Non-2xx responses:\s+(\d+)")),
        seconds=number(r"Time taken for tests:\s+([\d.]+)"),
        size=int(number(r"Document Length:\s+(\d+)")),
    )
    with table.open(newline="") as file:
        # one latency for each percent: enough for the percentiles that are printed
        result.latencies = [float(row[1]) / 1000 for row in csv.reader(file) if row[0].isdigit()]
    return result
