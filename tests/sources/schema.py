"""The tables of an agent's database that matter here, as WMCore lays them out on MariaDB, indexes included.

Foreign keys are left out, so that tests can build what an agent's database should not hold; the indexes
that InnoDB makes for them are in.
"""

from sqlalchemy import (
    CHAR,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

METADATA = MetaData()
NAME = String(255)


def _key() -> "Column[int]":
    return Column("id", Integer, primary_key=True, autoincrement=True)


def _whole(name: str, *, index: bool = False, null: bool = True) -> "Column[int]":
    return Column(name, Integer, index=index, nullable=null)


def _table(
    name: str, *parts: "Column[int] | Column[str] | UniqueConstraint | Index | Column[float]"
) -> Table:
    return Table(name, METADATA, *parts, mysql_engine="InnoDB", mysql_row_format="DYNAMIC")


_table("wmbs_location_state", _key(), Column("name", String(100), nullable=False))
_table("wmbs_job_state", _key(), Column("name", String(100), nullable=False))
_table("wmbs_pnns", _key(), Column("pnn", NAME, unique=True))
_table("wmbs_sub_types", _key(), Column("name", NAME, nullable=False, unique=True), _whole("priority"))
_table(
    "wmbs_location",
    _key(),
    Column("site_name", NAME, nullable=False, unique=True),
    _whole("state", index=True, null=False),
    Column("cms_name", NAME),
    Column("ce_name", NAME),
    _whole("running_slots"),
    _whole("pending_slots"),
    Column("plugin", NAME),
    _whole("state_time"),
)
_table(
    "rc_threshold",
    _whole("site_id", index=True, null=False),
    _whole("sub_type_id", index=True, null=False),
    _whole("pending_slots", null=False),
    _whole("max_slots", null=False),
)
_table(
    "wmbs_workflow",
    _key(),
    Column("spec", String(700), nullable=False),
    Column("name", NAME, nullable=False),
    Column("task", String(1250), nullable=False),
    Column("type", NAME),
    _whole("owner", null=False),
    Column("alt_fs_close", SmallInteger, nullable=False),
    Column("injected", SmallInteger),
    _whole("priority"),
)
_table(
    "wmbs_subscription",
    _key(),
    _whole("fileset", index=True, null=False),
    _whole("workflow", index=True, null=False),
    Column("split_algo", NAME, nullable=False),
    _whole("subtype", index=True, null=False),
    _whole("last_update", null=False),
    Column("finished", SmallInteger),
)
_table(
    "wmbs_subscription_validation",
    _whole("subscription_id", null=False),
    _whole("location_id", index=True, null=False),
    Column("valid", SmallInteger),
    UniqueConstraint("subscription_id", "location_id", name="wmbs_sub_val_pk"),
)
_table(
    "wmbs_jobgroup",
    _key(),
    _whole("subscription", index=True, null=False),
    Column("guid", NAME, unique=True),
    _whole("output", index=True),
    _whole("last_update", null=False),
    _whole("location"),
)
_table(
    "wmbs_job",
    _key(),
    _whole("jobgroup", index=True, null=False),
    Column("name", NAME),
    _whole("state", index=True, null=False),
    _whole("state_time", null=False),
    _whole("retry_count"),
    Column("couch_record", NAME),
    _whole("location", index=True),
    _whole("outcome"),
    Column("cache_dir", String(1250)),
    Column("fwjr_path", String(1250)),
)
_table("bl_status", _key(), Column("name", NAME, unique=True))
_table(
    "bl_runjob",
    _key(),
    _whole("wmbs_id", index=True),
    Column("grid_id", NAME),
    Column("bulk_id", NAME),
    Column("status", CHAR(1)),
    _whole("sched_status", index=True, null=False),
    _whole("retry_count"),
    _whole("status_time"),
    _whole("location", index=True),
    _whole("user_id", index=True),
    UniqueConstraint("retry_count", "wmbs_id"),
)
_table(
    "wmbs_location_pnns",
    _whole("location", index=True),
    _whole("pnn", index=True),
    UniqueConstraint("location", "pnn", name="wmbs_location_pnns_pk"),
)
_table(
    "wmbs_file_location",
    Column("fileid", Integer, primary_key=True, autoincrement=False),
    Column("pnn", Integer, primary_key=True, autoincrement=False, index=True),
)
_table(
    "wmbs_job_assoc",
    Column("job", Integer, primary_key=True, autoincrement=False),
    Column("fileid", Integer, primary_key=True, autoincrement=False, index=True),
)
_table("wma_init", Column("init_param", String(100), nullable=False), Column("init_value", String(100)))
_table(
    "wm_components",
    _key(),
    Column("name", NAME, nullable=False, unique=True),
    _whole("pid", null=False),
    _whole("update_threshold", null=False),
)
_table(
    "wm_workers",
    _whole("component_id", index=True, null=False),
    Column("name", NAME, nullable=False, unique=True),
    _whole("last_updated", null=False),
    Column("state", NAME),
    _whole("pid"),
    _whole("poll_interval", null=False),
    _whole("last_error"),
    Column("cycle_time", Float, nullable=False),
    Column("outcome", String(1000)),
    Column("error_message", String(1000)),
)
