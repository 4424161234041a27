"""The places on this machine: state directory, port, log file, descriptors, and files with secrets."""

import os
import resource
import shutil
import socket
import stat
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rcmon.checking.report import Report
from rcmon.config import Config
from rcmon.process import bind_sockets, is_answered
from rcmon.process.cores import usable_cores

HEALTH_SOCKET = "health.sock"
"""In the state directory; conf/healthcheck.py asks there."""
_LITTLE_SPACE = 256 << 20
"""Bytes: a store of ten agents over some days takes about as much."""
_SPARE_FILES = 100
"""Descriptors of a process beside its connections."""


def examine_places(config: Config, report: Report) -> None:
    """Examine all of them; nothing is made or left there."""
    _examine_state(Path(config.state_dir), report)
    _examine_port(config, report)
    _examine_log(config, report)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and config.max_connections + _SPARE_FILES > hard:
        report.warn(
            f"--max-connections {config.max_connections}: a process may open {hard} files only (ulimit -Hn),"
            f" and needs {_SPARE_FILES} besides"
        )
    if config.stale_after < config.cycle_interval:
        report.warn(
            f"--stale-after {config.stale_after:g}: shorter than a cycle ({config.cycle_interval:g} s):"
            " data go before they can be renewed"
        )
    if config.database_password_file and is_open_to_others(Path(config.database_password_file)):
        name = config.database_password_file
        report.warn(f"--database-password-file {name} can be read by others; do: chmod 600 {name}")
    report.tell(f"web processes: {web_processes(config)}, state: {Path(config.state_dir).absolute()}")


def web_processes(config: Config) -> int:
    """Count the web processes that a configuration leads to."""
    return config.workers or usable_cores()


def is_open_to_others(path: Path) -> bool:
    """Tell whether a file with a secret can be read by others than its owner and group."""
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO)
    except OSError:
        return False


def state_dir_problem(path: Path) -> str | None:
    """Say why a directory can neither be used nor made; None: it can."""
    for place in (path.absolute(), *path.absolute().parents):
        try:
            mode = place.stat().st_mode
        except FileNotFoundError:
            continue
        except OSError as error:
            return f"{place}: {error.strerror}"
        if not stat.S_ISDIR(mode):
            return f"{place} is not a directory"
        return _not_writable(place)
    return None


def _not_writable(directory: Path) -> str | None:
    """Try a file that has no name, since a right alone says nothing of /proc and read-only disks."""
    try:
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        return f"{directory} cannot be written ({error.strerror})"
    return None


def _examine_state(path: Path, report: Report) -> None:
    if problem := state_dir_problem(path):
        report.error(f"--state-dir: {str(path)!r} cannot be used: {problem}; name a directory of your own")
        return
    there = next(place for place in (path.absolute(), *path.absolute().parents) if place.is_dir())
    free = shutil.disk_usage(there).free
    if free < _LITTLE_SPACE:
        report.warn(f"--state-dir: {str(path)!r} has {free >> 20} MiB of free space only")
    if there == path.absolute() and there.stat().st_mode & stat.S_IWOTH:
        report.warn(f"--state-dir: {str(path)!r} can be written by others; do: chmod go-w {path}")


def _examine_port(config: Config, report: Report) -> None:
    """Try to listen, for a moment; where the service itself already does, that is no fault."""
    if is_answered(Path(config.state_dir) / HEALTH_SOCKET):
        report.tell(f"listens: not tried, since a service runs with the state directory {config.state_dir}")
        return
    with report.refusing():
        sockets: Sequence[socket.socket] = bind_sockets(config.host, config.port)
        for each in sockets:
            with closing(each):
                host, port = each.getsockname()[:2]
                report.tell(f"listens: {host} port {config.port or 'any (' + str(port) + ' now)'}")


def _examine_log(config: Config, report: Report) -> None:
    if config.log_file is None:
        return
    path = Path(config.log_file).absolute()
    place = path if path.exists() else path.parent
    if path.is_dir() or not os.access(place, os.W_OK):
        why = (
            "is a directory"
            if path.is_dir()
            else "cannot be written"
            if place.exists()
            else "has no directory"
        )
        report.error(f"--log-file: {config.log_file!r} {why}; name a file in a directory of your own")
