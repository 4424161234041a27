"""WMCore's own schema for MariaDB, as its package wmcoredb has it: a list of statements, in their order."""

from pathlib import Path

import wmcoredb
from stand_ins import answer, question

ORDER = (
    "agent/create_agent",
    "wmbs/create_wmbs_tables",
    "wmbs/create_wmbs_indexes",
    "wmbs/initial_wmbs_data",
    "bossair/create_bossair",
    "resourcecontrol/create_resourcecontrol",
)

question()
folder = Path(wmcoredb.__file__).parent / "sql" / "mariadb"
found = []
for name in ORDER:
    lines = (folder / f"{name}.sql").read_text().splitlines()
    text = "\n".join(line.partition("--")[0] for line in lines)
    found += [statement.strip() for statement in text.split(";") if statement.strip()]
answer(found)
