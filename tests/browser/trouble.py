"""Trouble of every kind in a store: overrides, a journal, acknowledgements, a quarantine."""

from rcmon.model import Override, OverrideChange, SpotChange
from rcmon.model.journal import (
    AGENT,
    QUARANTINE,
    ROLES,
    SITE,
    SLOTS,
    SOURCE,
    STATE,
    JournalEntry,
)
from rcmon.model.steering import Proposal, Quarantine, Word
from rcmon.store import Store
from rcmon.store.acknowledgements import Acknowledgement, keep_acknowledgement
from rcmon.store.journal import add_entries
from rcmon.store.overrides import make_change
from rcmon.store.steering import keep_quarantines, read_quarantine
from tests.web.grid import NOW, SITES

OPERATOR = "/DC=ch/DC=cern/OU=Organic Units/OU=Users/CN=anoperator/CN=123456/CN=An Operator"
HOUR = 3600.0


async def make_trouble(store: Store) -> None:
    """Write it; where it is there already, nothing is done."""
    async with store.adding() as connection:
        if await read_quarantine(connection, "missing-2") is not None:
            return
        for change in _changes():
            await make_change(connection, change)
        await add_entries(connection, _entries())
        await keep_acknowledgement(
            connection, Acknowledgement("b2", NOW - HOUR, NOW + 20 * HOUR, OPERATOR, "MIT moves its CE")
        )
        await keep_quarantines(connection, _held(), (), NOW)


def _changes() -> list[OverrideChange]:
    def set_at(number: int, site: str, agent: str | None, **values: object) -> OverrideChange:
        said = {"state": None, "running": None, "pending": None, "mode": "latched", "until": None} | values
        reason = str(said.pop("reason"))
        made = NOW - 5 * HOUR + number * 600
        after = Override(site=site, agent=agent, reason=reason, subject=OPERATOR, made=made, version=number,
                         **said)  # type: ignore[arg-type]  # fmt: skip
        return OverrideChange(number, made, OPERATOR, "set", (SpotChange(site, agent, None, after),))

    return [
        set_at(1, "T2_US_Nebraska", None, state="Down", mode="until", until=NOW + 9 * HOUR,
               reason="Cooling fails: the site asked for it by phone, ticket 4711"),
        set_at(2, "T1_US_FNAL", "vocms0281", running=1200, pending=400, reason="HLT needs the rest"),
        set_at(3, "T2_DE_DESY", None, state="Draining", mode="toggle",
               reason="Test of <b>markup</b> & \u202eodd\u202c names"),
    ]  # fmt: skip


def _entries() -> list[JournalEntry]:
    entries = [
        JournalEntry(NOW - 6 * HOUR, ROLES.name, None, {"taken_up": True, "entries": 12, "digest": "ab12"}),
        JournalEntry(NOW - 5.5 * HOUR, SOURCE.name, {"up": True, "stale": False},
                     {"up": False, "stale": True}, subject="vocms0282", cause="no answer within 10 s"),
        JournalEntry(NOW - 5.2 * HOUR, AGENT.name,
                     {"version": "2.4.0", "drain": False, "down_components": []},
                     {"version": "2.4.0", "drain": False, "down_components": ["JobSubmitter"]},
                     agent="vocms0281"),
        JournalEntry(NOW - 4 * HOUR, SITE.name, None,
                     {"state": "Normal", "running_slots": 900, "pending_slots": 300, "thresholds": {}},
                     agent="vocms0282", site="T3_US_UMD", cause="agent vocms0282 has it"),
        JournalEntry(NOW - 900, QUARANTINE.name, None,
                     {"cause": "many_leaving", "message": "31 of 62 sites would be drained at once",
                      "sites": SITES[:31], "decision": "held"}, subject="leaving-1"),
    ]  # fmt: skip
    for number, site in enumerate(SITES):
        when = NOW - 4 * HOUR + number * 120
        was, now = ("Normal", "Draining") if number % 3 else ("Draining", "Normal")
        entries.append(
            JournalEntry(when, STATE.name, {"state": was}, {"state": now}, agent="vocms0281", site=site,
                         cause="upstream said so")
        )  # fmt: skip
        entries.append(
            JournalEntry(when, SLOTS.name, {"running_slots": 900, "pending_slots": 300},
                         {"running_slots": 1200, "pending_slots": 400}, agent="vocms0281", site=site)
        )  # fmt: skip
    return sorted(entries, key=lambda entry: entry.time)


def _held() -> list[Quarantine]:
    well, drained = Word("enabled", 1200, 300), Word("drain", 1200, 300)
    lost = Word("disabled", 0, 0)
    return [
        Quarantine(
            "leaving-1", "many_leaving", "31 of 62 sites would be drained at once", NOW - 900, True,
            tuple(Proposal(site, well, drained) for site in SITES[:31]),
        ),
        Quarantine(
            "missing-2", "missing", "T2_UA_KIPT and T3_KR_KNU are not named any more", NOW - 7200, False,
            (Proposal("T2_UA_KIPT", well, lost, True), Proposal("T3_KR_KNU", None, lost, True)),
            "rejected", NOW - 3600, OPERATOR, "they only move",
        ),
    ]  # fmt: skip
