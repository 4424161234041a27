"""The documentation's tables, made from the code: `python -m tests.docs.tables` writes them anew."""

from collections.abc import Iterable, Mapping, Sequence

from rcmon.bridge.options import OPTIONS as BRIDGE_OPTIONS
from rcmon.collector.findings import KINDS
from rcmon.config import OPTIONS, Option
from rcmon.model import DRIFT_REASONS
from rcmon.model.journal import JOURNAL_KINDS
from rcmon.render.families.table import FAMILIES as SNAPSHOT_FAMILIES
from rcmon.rules.reasons import REASONS as OBSTACLES
from rcmon.terminal.commands.check import MEANINGS, NAMES
from rcmon.terminal.failure import EXITS
from rcmon.terminal.main import commands as terminal_commands
from rcmon.web.api.query import QueryReader
from rcmon.web.api.reasons import KINDS as REASONS
from rcmon.web.api.site_query import SiteQuery
from rcmon.web.api.why import WhyQuery
from rcmon.web.app import TABLE, describe
from rcmon.web.telemetry.told import FAMILIES as OWN_FAMILIES
from tests.docs.texts import FILES


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def options() -> str:
    """List every option."""

    def default(option: Option) -> str:
        value = option.default
        if value is None:
            return ""
        if value == "":
            return '`""`'
        if isinstance(value, float):
            return f"`{value:.0f}`" if value == int(value) else f"`{value}`"
        return f"`{str(value).lower() if isinstance(value, bool) else value}`"

    rows = (
        [
            f"`--{option.name}`",
            f"`[{option.section}]`" if option.section else "",
            default(option),
            option.help,
        ]
        for option in OPTIONS
    )
    return table(["option", "section", "default", "meaning"], rows)


def bridge() -> str:
    """List every option of the bridge."""
    rows = (
        [f"`--{option.name}`", f"`{option.default}`" if option.default else "", option.help]
        for option in BRIDGE_OPTIONS
    )
    return table(["option", "default", "meaning"], rows)


def routes() -> str:
    """List every resource."""
    rows = (
        [f"`{resource.path}`", ", ".join(resource.methods), resource.role, resource.summary]
        for handler in TABLE
        for resource in describe(handler)
    )
    return table(["resource", "methods", "role", "what it is"], rows)


def parameters() -> str:
    """List what /api/sites takes."""
    rows = ([f"`{parameter.name}`", parameter.allowed] for parameter in QueryReader(SiteQuery).parameters)
    return table(["parameter", "allowed"], rows)


def metrics() -> str:
    """List every metric family."""
    families = [*SNAPSHOT_FAMILIES, *OWN_FAMILIES]
    rows = (
        [f"`{family.name}`", family.kind, ", ".join(f"`{label}`" for label in family.labels), family.help]
        for family in families
    )
    return table(["family", "type", "labels", "meaning"], rows)


def findings() -> str:
    """List every kind of finding."""
    rows = ([f"`{kind}`", meaning.severity, meaning.sentence] for kind, meaning in sorted(KINDS.items()))
    return table(["kind", "severity", "meaning"], rows)


def journal() -> str:
    """List every kind of entry of the journal."""
    return table(["kind", "what changed"], ([f"`{kind.name}`", kind.meaning] for kind in JOURNAL_KINDS))


def reasons() -> str:
    """List every reason for which the service is not healthy."""
    rows = ([f"`{kind.name}`", kind.level, kind.meaning] for kind in REASONS.values())
    return table(["reason", "level", "meaning"], rows)


def obstacles() -> str:
    """List every reason for which work does not run, in the order in which they are given."""
    submits = {"no": "nothing is submitted", "yes": "what is there is submitted", "unknown": "not known"}
    rows = ([f"`{kind.name}`", kind.tier, submits[kind.submits], kind.meaning] for kind in OBSTACLES.values())
    return table(["reason", "tier", "jobs that are there", "meaning"], rows)


def asked() -> str:
    """List what /api/why takes."""
    rows = ([f"`{parameter.name}`", parameter.allowed] for parameter in QueryReader(WhyQuery).parameters)
    return table(["parameter", "allowed"], rows)


def drift() -> str:
    """List every reason for which a value is another than is expected."""
    rows = ([f"`{reason}`", meaning] for reason, meaning in DRIFT_REASONS.items())
    return table(["reason", "meaning"], rows)


def terminal() -> str:
    """List every command of rcmon-cli."""
    rows = ([f"`{usage}`", meaning] for usage, meaning in terminal_commands())
    return table(["command", "what it does"], rows)


def exits() -> str:
    """List every exit status of rcmon-cli, and those of its check."""
    rows = [[str(status), meaning] for status, meaning in EXITS.items()]
    checks = [[f"`check`: {status} {NAMES[status]}", meaning] for status, meaning in MEANINGS.items()]
    return table(["exit status", "meaning"], [*rows, *checks])


def tables() -> Mapping[str, str]:
    """Give every table by the name of its marks."""
    made = (
        options, bridge, routes, parameters, asked, reasons, obstacles, metrics, findings, journal, drift,
        terminal, exits,
    )  # fmt: skip
    return {make.__name__: make() for make in made}


def filled(text: str) -> str:
    """Write the tables between those of their marks that there are."""
    for name, content in tables().items():
        begin, end = marks(name)
        if begin in text:
            before, _, rest = text.partition(begin)
            text = f"{before}{begin}\n{content}\n{end}{rest.partition(end)[2]}"
    return text


def marks(name: str) -> tuple[str, str]:
    """Tell what stands before and behind a table."""
    return f"<!-- {name} -->", f"<!-- /{name} -->"


if __name__ == "__main__":
    for path in FILES:
        path.write_text(filled(path.read_text()))
