"""`python -m rcmon.tools.store backup|check|export|import`: a whole store in and out, while rcmon runs."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rcmon.checking.start import store_url
from rcmon.config import load
from rcmon.errors import ConfigError, RcmonError
from rcmon.store import Store
from rcmon.store.about import DEMO, PRODUCTION
from rcmon.store.transfer import LONG, back_up, check_store, export_store, import_archive
from rcmon.version import VERSION

DONE, FAILED, UNUSABLE = 0, 1, 78
"""Exit codes: done, and what was looked at is sound; not so; the configuration cannot be used."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m rcmon.tools.store",
        usage="python -m rcmon.tools.store backup|check|export|import [FILE] [options of rcmon]",
        description="Copy, look through, write out or fill the store that the options name, as rcmon itself"
        " takes them: --config, --state-dir, --database, --database-password-file.",
        epilog="The store may be in use, but where it is filled.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "action",
        choices=("backup", "check", "export", "import"),
        help="backup: copy the store into FILE, an SQLite store itself; check: look through all of it;"
        " export: write every row to the archive FILE; import: fill a new store of either kind from it",
    )
    parser.add_argument("file", metavar="FILE", type=Path, nargs="?", help="for all but check")
    words = list(sys.argv[1:] if arguments is None else arguments)
    # options of rcmon take values, which must not be taken for FILE
    split = next(
        (at for at, word in enumerate(words) if word.startswith("-") and word != "--help"), len(words)
    )
    given, options = parser.parse_args(words[:split]), words[split:]
    if (given.file is None) != (given.action == "check"):
        parser.error(f"{given.action} takes {'no' if given.file else 'a'} FILE")
    try:
        config = load(options, os.environ, VERSION)
        owner = DEMO if config.demo else PRODUCTION
        store = Store(store_url(config), owner, longest=LONG)
        said = asyncio.run(_do(store, given.action, given.file))
    except ConfigError as error:
        sys.stderr.write("".join(f"{message}\n" for message in error.messages))
        return UNUSABLE
    except RcmonError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    sys.stdout.write(f"{said}\n")
    return DONE


async def _do(store: Store, action: str, file: Path) -> str:
    try:
        match action:
            case "backup":
                return f"{file}: {await back_up(store, file)} octets, copied from {store.address} and sound"
            case "check":
                return f"{store.address} is sound: {_told(await check_store(store))}"
            case "export":
                return f"{file}: {_told(await export_store(store, file))}"
        await store.migrate()
        return f"{store.address} was filled: {_told(await import_archive(store, file))}"
    finally:
        await store.close()


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} of {name}" for name, count in sorted(counts.items())) or "nothing in it"


if __name__ == "__main__":
    sys.exit(main())
