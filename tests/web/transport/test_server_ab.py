"""ApacheBench speaks HTTP/1.0 with a keep-alive of its own, and tells of every end without a goodbye."""

import asyncio
from pathlib import Path

import pytest

from tests.servers import need
from tests.web.pki import READER
from tests.web.serving import serving


@pytest.mark.parametrize("short", [True, False], ids=["short way", "Tornado's way"])
@pytest.mark.parametrize("path", ["small", "large"])
@pytest.mark.parametrize("keep", [True, False])
async def test_ab_is_content(short: bool, path: str, keep: bool, tmp_path: Path) -> None:
    ab, pem = need("ab"), READER.write(tmp_path / "reader.pem")
    number = 60 if keep else 12
    async with serving(short=short) as served:
        process = await asyncio.create_subprocess_exec(
            ab, *(["-k"] if keep else []), "-q", "-c", "4", "-n", str(number), "-E", str(pem),
            f"https://127.0.0.1:{served.port}/wm_resource_monitor/{path}",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output = (await process.communicate())[0].decode()
        assert process.returncode == 0, output
        assert "eof" not in output
        figures = dict(line.split(":", 1) for line in output.splitlines() if ":" in line)
        assert figures["Complete requests"].strip() == str(number)
        assert figures["Failed requests"].strip() == "0"
        assert "Non-2xx responses" not in figures
        assert (figures.get("Keep-Alive requests", "0").strip() == str(number)) == keep
        assert served.requests() == {(f"/{path}", "GET", "200"): number}
        assert served.replayed == (0 if short else number)
        assert served.failures().keys() <= {"closed"}  # it may begin a connection that it needs no more
