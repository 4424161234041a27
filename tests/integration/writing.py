"""Who writes to a service while its processes are killed: what was acknowledged is there."""

import http.client
import itertools
import json
import random
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

BASE = "/wm_resource_monitor"
LONGEST_WAIT = 10.0
"""Seconds after which what was acknowledged and is not told is lost; and for an answer."""
REPORT = "/api/agents/vocms0281/report"
FIRST = 100_000
"""The first number that is written: no other one is so large."""


class Caller:
    """Asks replicas as somebody, each on a connection that is kept."""

    def __init__(self, ports: Sequence[int], pki: Path, who: str, patience: float = LONGEST_WAIT) -> None:
        self._ports, self._patience = ports, patience
        self._tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._tls.load_cert_chain(pki / f"{who}.crt", pki / f"{who}.key")
        self._kept: dict[int, http.client.HTTPSConnection] = {}

    @property
    def replicas(self) -> int:
        """Of how many it may ask."""
        return len(self._ports)

    def is_new(self, replica: int) -> bool:
        """Tell whether the next question opens a connection."""
        return replica not in self._kept

    def ask(
        self, replica: int, path: str, said: object = None, **fields: str
    ) -> tuple[int, dict[str, Any] | None]:
        """Get, or put what is said; gives the status and the document. Raises OSError without an answer."""
        kept = self._kept.get(replica) or http.client.HTTPSConnection(
            "localhost", self._ports[replica], timeout=self._patience, context=self._tls
        )
        self._kept[replica] = kept
        body = None if said is None else json.dumps(said)
        fields = {name.replace("_", "-"): text for name, text in fields.items()}
        try:
            if body is None:
                kept.request("GET", BASE + path)
            else:
                kept.request("PUT", BASE + path, body, {"Content-Type": "application/json", **fields})
            answer = kept.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.leave(replica)
            raise OSError(str(error)) from error
        return answer.status, json.loads(text) if text else None

    def leave(self, replica: int) -> None:
        """End a connection."""
        kept = self._kept.pop(replica, None)
        if kept is not None:
            kept.close()


class Writer(threading.Thread):
    """Writes ever larger numbers to one place through any replica, and looks for each through the others."""

    what = ""

    def __init__(self, caller: Caller, place: str, over: threading.Event, seed: int) -> None:
        super().__init__(daemon=True)
        self.caller, self.place, self._over, self._dice = caller, place, over, random.Random(seed)
        self.free = threading.Event()
        """Cleared: it begins nothing more until it is set again."""
        self.free.set()
        self.answered: list[int] = []
        self.unanswered = 0
        self.lags: list[float] = []
        """Seconds from an acknowledgement until another replica was asked that then told what was written."""
        self.told: list[float] = []
        """Seconds until that answer was there."""
        self.lost: list[str] = []

    def write(self, replica: int, number: int) -> bool:
        """Write a number; tells whether that was acknowledged. Raises OSError."""
        raise NotImplementedError

    def read(self, replica: int) -> int | None:
        """Read the number; None: no answer to that. Raises OSError."""
        raise NotImplementedError

    def run(self) -> None:
        """Write until told to stop."""
        for number in itertools.count(FIRST):
            if self._over.wait(0.2):
                break
            self.free.wait()
            replica = self._dice.randrange(self.caller.replicas)
            try:
                acknowledged = self.write(replica, number)
            except OSError:
                acknowledged = False
            if not acknowledged:
                self.unanswered += 1
                continue
            at = time.monotonic()
            self.answered.append(number)
            looks = [
                threading.Thread(target=self.look, args=(other, number, at))
                for other in range(self.caller.replicas)
                if other != replica
            ]
            for look in looks:
                look.start()
            for look in looks:
                look.join()

    def check(self) -> None:
        """Look once all is quiet whether every replica tells what was acknowledged last."""
        for replica in range(self.caller.replicas):
            self.caller.leave(replica)  # it may be idle for so long that the other side ended it
            self.look(replica, self.answered[-1], time.monotonic(), alive=True)

    def look(self, replica: int, number: int, since: float, *, alive: bool = False) -> None:
        """Look until a replica tells that number; not for long where that may be dead."""
        found = None
        while time.monotonic() < since + LONGEST_WAIT:
            asked = time.monotonic()
            try:
                found = self.read(replica)
            except OSError:
                if not alive:
                    return
                continue
            if found is not None and found >= number:
                self.lags.append(asked - since)
                self.told.append(time.monotonic() - since)
                return
            time.sleep(0.01)
        self.lose(f"replica {replica + 1} tells {found} and not {number}")

    def lose(self, how: str) -> None:
        """Note that what was acknowledged is not there, or not as it was written."""
        self.lost.append(f"{self.what} {self.place}: {how}")

    def whole(self, *numbers: int) -> int:
        """Give the number that was written at each of some places together."""
        if len(set(numbers)) > 1:
            self.lose(f"torn: {numbers}")
        return numbers[0]


class OverrideWriter(Writer):
    """Of one site's override."""

    what = "override of"

    def write(self, replica: int, number: int) -> bool:
        """Change what is there, or make it."""
        status, held = self.caller.ask(replica, f"/api/sites/{self.place}/override")
        condition = {"If_None_Match": "*"} if status == 404 else {}
        if self.answered and status == 404:
            self.lose(f"none, and not {self.answered[-1]}")
        if status == 200 and held is not None:
            condition = {"If_Match": f'"{held["etag"]}"'}
            if self.answered and held["running_slots"] < self.answered[-1]:
                self.lose(f"{held['running_slots']}, and not {self.answered[-1]}")
        said = {"running_slots": number, "pending_slots": number, "mode": "latched", "reason": str(number)}
        return self.caller.ask(replica, f"/api/sites/{self.place}/override", said, **condition)[0] in (
            200,
            201,
        )

    def read(self, replica: int) -> int | None:
        """Read it by itself."""
        status, held = self.caller.ask(replica, f"/api/sites/{self.place}/override")
        if status != 200 or held is None:
            return 0 if status == 404 else None
        return self.whole(held["running_slots"], held["pending_slots"], int(held["reason"]))


class ReportWriter(Writer):
    """Of what an agent's submitter says."""

    what = "report of"

    def write(self, replica: int, number: int) -> bool:
        """Push a report."""
        said = {"T2_CH_CERN": {"Merge": {"NoPendingSlot": number, "submitted": number}}}
        return self.caller.ask(replica, REPORT, said)[0] == 204

    def read(self, replica: int) -> int | None:
        """Read what was pushed last."""
        status, held = self.caller.ask(replica, REPORT)
        if status != 200 or held is None:
            return 0 if status == 404 else None
        found = held["submit_report"]["document"]["T2_CH_CERN"]["Merge"]
        return self.whole(found["NoPendingSlot"], found["submitted"])


class AcknowledgementWriter(Writer):
    """Of one finding's acknowledgement."""

    what = "acknowledgement of"

    def write(self, replica: int, number: int) -> bool:
        """Acknowledge it once more, for another reason."""
        path = f"/api/findings/{self.place}/acknowledgement"
        return self.caller.ask(replica, path, {"reason": str(number)})[0] == 204

    def read(self, replica: int) -> int | None:
        """Find it among all findings."""
        status, told = self.caller.ask(replica, "/api/findings?limit=1000")
        if status != 200 or told is None:
            return None
        held = [one["acknowledgement"] for one in told["findings"] if one["id"] == self.place]
        return int(held[0]["reason"]) if held and held[0] else 0


def writers_of(
    callers: Callable[[str], Caller], sites: Sequence[str], finding: str | None, over: threading.Event
) -> list[Writer]:
    """Make who overrides each of some sites, who reports, and who acknowledges a finding."""
    made: list[Writer] = [
        OverrideWriter(callers("operator"), site, over, seed) for seed, site in enumerate(sites)
    ]
    made.append(ReportWriter(callers("agent"), "vocms0281", over, 98))
    if finding is not None:
        made.append(AcknowledgementWriter(callers("operator"), finding, over, 99))
    return made


def not_journaled(caller: Caller, writers: Sequence[Writer]) -> list[str]:
    """Find overrides that were acknowledged and are not in the journal exactly once."""
    counts: Counter[tuple[str, int]] = Counter()
    caller.leave(0)  # it may be idle for so long that the other side ended it
    path: str | None = "/api/journal?kind=override&limit=1000"
    while path:
        told = caller.ask(0, path.removeprefix(BASE))[1]
        assert told is not None
        counts.update((one["site"], one["new"]["running_slots"]) for one in told["entries"] if one["new"])
        path = told["next"]
    return [
        f"override {number} of {writer.place} is {counts[writer.place, number]} times in the journal"
        for writer in writers
        if isinstance(writer, OverrideWriter)
        for number in writer.answered
        if counts[writer.place, number] != 1
    ]
