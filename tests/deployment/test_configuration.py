"""The files in conf are valid as they are, and so are their examples once the comment signs are gone."""

import re
import tomllib
from pathlib import Path

import pytest
import trustme

from rcmon.access.roles import Role, RoleTable
from rcmon.config import OPTIONS, load
from rcmon.sources import KINDS
from rcmon.sources.config import build_sources, load_sources
from rcmon.sources.wmagent import WMAgentConfig

CONF = Path(__file__).parents[2] / "conf"


def uncommented(text: str) -> str:
    """Take the comment sign from whatever is TOML behind it."""
    return re.sub(r"^( *)# ?(?=\[|\w+ = |\"\w[\w-]*:|\{ subject)", r"\1", text, flags=re.MULTILINE)


def test_sources_are_valid_as_they_are() -> None:
    configs = load_sources(CONF / "sources.toml")
    assert len(configs) == 1
    assert build_sources(configs)[0].kind == "wmagent"


def test_example_sources_are_valid(tmp_path: Path) -> None:
    text = uncommented((CONF / "sources.toml").read_text())
    for name in re.findall(r'(?:password|token)_file = "(.+)"', text):
        (tmp_path / name).write_text("secret\n")
    authority = trustme.CA()
    ours = authority.issue_cert("rcmon.example.org")
    authority.cert_pem.write_to_path(tmp_path / "cern-grid-ca.pem")
    ours.cert_chain_pems[0].write_to_path(tmp_path / "hostcert.pem")
    ours.private_key_pem.write_to_path(tmp_path / "hostkey.pem")
    (tmp_path / "sources.toml").write_text(text)
    configs = load_sources(tmp_path / "sources.toml")
    urls = [config.url for config in configs if isinstance(config, WMAgentConfig)]
    assert {url.partition(":")[0] for url in urls} == {"mysql", "oracle", "postgresql", "sqlite"}
    made = build_sources(
        [config for config in configs if not getattr(config, "url", "").startswith("oracle")]
    )
    assert {source.kind for source in made} == {kind.name for kind in KINDS}


def test_roles_grant_nothing_as_they_are() -> None:
    text = (CONF / "roles.toml").read_text()
    assert len(RoleTable.parse(text)) == 0
    assert set(tomllib.loads(text)["roles"]) == set(Role)


def test_example_roles_are_valid() -> None:
    text = uncommented((CONF / "roles.toml").read_text())
    table = RoleTable.parse(text)
    assert len(table) == 5
    assert {grant.role for grants in table.grants.values() for grant in grants} == set(Role)


def test_every_kind_of_entry_is_explained() -> None:
    text = (CONF / "roles.toml").read_text()
    for kind in ("dn", "dn-under", "dns", "uri", "fqan"):
        assert f'"{kind}:' in text


def test_configuration_is_valid_as_it_is_and_changes_nothing() -> None:
    config = load(["--config", str(CONF / "rcmon.toml")], {}, "test")
    for option in OPTIONS:
        assert getattr(config, option.attribute) == option.default, option.name


def test_container_and_unit_set_variables_that_there_are() -> None:
    known = {option.variable for option in OPTIONS} | {"RCMON_CONFIG"}
    for name in ("Dockerfile", "rcmon.service"):
        used = set(re.findall(r"\b(RCMON_[A-Z_]+)=", (CONF / name).read_text()))
        assert len(used) >= 3
        assert used <= known


@pytest.mark.parametrize("name", ["sources.toml", "roles.toml", "rcmon.toml", "control.toml"])
def test_nothing_secret_stands_in_an_example(name: str) -> None:
    assert not re.search(r"://[^/\s\"]+:[^/\s\"@]+@", (CONF / name).read_text())
