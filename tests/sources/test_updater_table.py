"""What the sources file says of an agent's own configuration reaches its rules, or is refused with words."""

from pathlib import Path

import pytest

from rcmon.errors import ConfigError
from rcmon.model import SubmitterSettings, UpdaterSettings
from rcmon.sources.config import load_sources
from rcmon.sources.wmagent import WMAgentConfig
from rcmon.sources.wmagent.submitter import SubmitterTable
from rcmon.sources.wmagent.updater import UpdaterTable

SOURCE = '[[source]]\nname = "a"\nkind = "wmagent"\nurl = "sqlite:///a.sqlite"\n'


def read(folder: Path, text: str) -> WMAgentConfig:
    path = folder / "sources.toml"
    path.write_text(SOURCE + text)
    (config,) = load_sources(path)
    assert isinstance(config, WMAgentConfig)
    return config


def test_without_the_tables_wmagents_defaults_hold(tmp_path: Path) -> None:
    assert read(tmp_path, "").updater.settings() == UpdaterSettings()
    assert read(tmp_path, "").submitter.settings() == SubmitterSettings()


def test_the_table_is_read(tmp_path: Path) -> None:
    table = '[source.updater]\nteam = "production"\ntier0 = false\nforce_site_down = ["T2_A_B"]\n'
    settings = read(tmp_path, table + "t1_sites_cores = 20\n").updater.settings()
    expected = UpdaterSettings("production", tier0=False, force_site_down=("T2_A_B",), t1_sites_cores=20)
    assert settings == expected


def test_the_table_of_what_bounds_submission_is_read(tmp_path: Path) -> None:
    table = "[source.submitter]\nmax_jobs_per_owner = 10000\ncondor_jobs_fraction = 1\n"
    assert read(tmp_path, table).submitter.settings() == SubmitterSettings(10_000, 1.0)


@pytest.mark.parametrize(
    "line",
    [
        "max_jobs_per_owner = 0",
        "max_jobs_per_owner = 1e4",
        "condor_jobs_fraction = -0.1",
        "condor_jobs_fraction = nan",
        "condor_overflow_fraction = inf",
        "max_jobs = 3",
    ],
)
def test_what_bounds_nothing_is_refused_by_name(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match=line.partition(" ")[0]):
        read(tmp_path, f"[source.submitter]\n{line}\n")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("t1_sites_cores = -1", "t1_sites_cores"),
        ('force_site_down = "T2_A_B"', "force_site_down"),
        ("percent = 3", "percent"),
        ('team = ""', "team"),
    ],
)
def test_what_it_must_not_hold_is_refused_by_name(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read(tmp_path, f"[source.updater]\n{line}\n")


def test_table_and_rules_have_the_same_settings() -> None:
    assert UpdaterTable.__struct_fields__ == UpdaterSettings.__struct_fields__
    assert SubmitterTable.__struct_fields__ == SubmitterSettings.__struct_fields__
