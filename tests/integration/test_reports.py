"""Reports over a whole service: what was answered with 204 is there, whatever dies right then."""

import json
import os
import signal
from pathlib import Path

from tests.integration.running import children, running, until

SAMPLE = Path(__file__).parent.parent / "data" / "upstream" / "agent_info.json"
REPORT = "/api/agents/vocms0281/report"
JSON = ("-H", "Content-Type: application/json")


def test_a_report_outlasts_the_death_of_every_process(tmp_path: Path) -> None:
    """Killed right behind the 204, so that nothing more is written."""
    with running(tmp_path, "--demo", "--synthetic", "20x2", "--workers", "2") as service:
        for status in range(3):
            pushed = {"T2_CH_CERN": {"Merge": {"NoPendingSlot": status, "submitted": 1}}}
            push = ("-X", "PUT", "--data-binary", json.dumps(pushed), *JSON)
            assert service.curl(REPORT, *push, who="agent") == (204, "")
            found = service.json(REPORT)
            assert found["submit_report"]["document"] == pushed
            for process in children(service.process.pid):
                os.kill(process, signal.SIGKILL)
            until(service.serves_everywhere, "the workers to serve again")
            assert service.json(REPORT)["submit_report"]["document"] == pushed
        assert service.curl(REPORT, "-T", str(SAMPLE), *JSON, who="reader")[0] == 403
        status, body = service.curl(REPORT.replace("81", "82"), "-T", str(SAMPLE), *JSON, who="agent")
        assert status == 403
        assert "is bound to vocms0281, and not to 'vocms0282'" in body
        assert service.curl(REPORT, "-T", str(SAMPLE), *JSON, who="agent") == (204, "")
        service.process.kill()
        service.process.wait()
    with running(tmp_path, "--demo", "--synthetic", "20x2", "--workers", "1") as service:
        found = service.json(REPORT)
        assert found["agent_info"]["document"] == json.loads(SAMPLE.read_bytes())
        assert found["submit_report"]["document"] == pushed
