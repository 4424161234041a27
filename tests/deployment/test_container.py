"""The container image: its lines are sound, and what it builds and starts works in a root of its own.

No container engine is needed: the lines of the Dockerfile are run in a chroot that has this machine's /usr
and settings and nothing else of it, as the user and with the read-only root that the image is meant for.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.running import Service, until
from tests.servers import free_port, need

TOP = Path(__file__).parents[2]
DOCKERFILE = TOP / "conf" / "Dockerfile"
STATE = "var/lib/rcmon"
USER = 10001
PIP = re.compile(r"(?i)pip_|https?_proxy")
"""How the names of variables begin that tell pip where to find what it installs."""
ROOT = """
set -eu
cd "$1"
mount -t tmpfs -o mode=0755 none root
mkdir -p root/{usr,etc,proc,dev,opt,src,tmp,base,var/lib/rcmon}
for name in bin lib lib64 sbin; do
    ln -s "usr/$name" "root/$name"
done
ln -s /usr/bin/python3 root/base/python
for name in usr etc; do
    mount --bind "/$name" "root/$name"
    mount -o remount,bind,ro "root/$name"
done
mount --rbind /proc root/proc
mount --rbind /dev root/dev
mount --bind opt root/opt
mount --bind state root/var/lib/rcmon
"""
"""Make a root of what `$1` holds, seen by this shell alone."""
BUILD = """
mount --bind src root/src
exec chroot root /usr/bin/env -i -C /src PATH=/base:/usr/bin:/bin "${@:2}"
"""
RUN = f"""
mount -o remount,bind,ro root/opt
mount -o remount,ro root
exec chroot --userspec={USER}:{USER} root /usr/bin/env -i -C /{STATE} "${{@:2}}"
"""


def instructions() -> Iterator[tuple[str, str]]:
    """Give each instruction and what it says, lines that go on made one."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text())
    for line in text.splitlines():
        if line and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


def said(word: str) -> list[str]:
    return [rest for one, rest in instructions() if one == word]


def environment() -> list[str]:
    """Give what the image sets, as env takes it; the rest of PATH is the base image's."""
    (given,) = said("ENV")
    return [one.replace("$PATH", "/usr/bin:/bin") for one in shlex.split(given)]


def test_hadolint_minds_nothing() -> None:
    subprocess.run([need("hadolint", str(Path(sys.executable).parent)), DOCKERFILE], check=True)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Build what the image has, by its own line."""
    if os.geteuid():
        pytest.skip("only root may mount")
    for name in ("root", "opt", "src"):
        (tmp_path / name).mkdir()
    (tmp_path / "state").mkdir(mode=0o700)
    os.chown(tmp_path / "state", USER, USER)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(TOP / name, tmp_path / "src")
    for name in ("rcmon", "conf"):
        shutil.copytree(TOP / name, tmp_path / "src" / name, ignore=shutil.ignore_patterns("__pycache__"))
    build, _ = said("RUN")
    pip = [
        f"{name}={value}" for name, value in os.environ.items() if re.match(r"(?i)pip_|https?_proxy", name)
    ]
    command = [*rooted(tmp_path, BUILD), *pip, "sh", "-euc", build]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.copy(TOP / "conf" / "healthcheck.py", tmp_path / "opt" / "rcmon")
    return tmp_path


def rooted(folder: Path, script: str) -> list[str]:
    return ["unshare", "--mount", "bash", "-c", ROOT + script, "rooted", str(folder)]


@contextmanager
def started(image: Path) -> Iterator[Service]:
    """Start it as the image does, with the demo for its arguments."""
    (entry,) = said("ENTRYPOINT")
    port, log = free_port(), image / "log"
    arguments = ["--demo", "--host", "localhost", "--port", str(port)]
    command = [*rooted(image, RUN), *environment(), *json.loads(entry), *arguments]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield Service(process, port, image / "state" / "demo" / "pki", log)
    finally:
        process.kill()
        process.wait()


def test_what_it_starts_works_without_a_writable_root_or_any_right(image: Path) -> None:
    with started(image) as service:
        until(lambda: ended(service) or "Try:" in service.log.read_text(), "the demo's line")
        assert not ended(service), service.log.read_text()
        status = service.json("/api/status")
        assert status["store"]["up"], service.log.read_text()
        (owner,) = {path.stat().st_uid for path in (image / "state").rglob("*")}
        assert owner == USER
        assert "unhealthy: component" in checked(service)  # so the demo's agents are
        assert checked(service, "alive") == ""
        assert service.stop(signal.SIGTERM) == 0
    assert not re.search(r"Traceback|error", service.log.read_text())


def ended(service: Service) -> bool:
    return service.process.poll() is not None


def checked(service: Service, *arguments: str) -> str:
    """Ask as the image's own check does; gives what it finds."""
    (line,) = said("HEALTHCHECK")
    command = json.loads(line.partition("CMD ")[2])
    inside = ["nsenter", f"--target={service.process.pid}", "--mount", "--root"]
    inside += [f"--setuid={USER}", f"--setgid={USER}", "/usr/bin/env", "-i", "-C", f"/{STATE}"]
    inside += [*environment(), *command, *arguments]
    done = subprocess.run(inside, capture_output=True, text=True, check=False, timeout=300)
    return done.stdout + done.stderr
