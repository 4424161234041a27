"""Who holds which role: the roles file, its entries, and what they grant to whom."""

import contextlib
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from rcmon.access.der.oids import LIMITED
from rcmon.access.identity import Identity, identify
from rcmon.access.names.dn import Dn
from rcmon.access.roles import NO_ROLES, Role, RoleTable
from rcmon.errors import ConfigError
from tests.access import pki
from tests.access.pki import Credential

R, AG, O, AD = Role.READER, Role.AGENT, Role.OPERATOR, Role.ADMIN  # noqa: E741
ROOT = pki.authority(pki.name("DC=ch", "DC=cern", "CN=CA"))
OTHER_ROOT = pki.authority(pki.name("DC=org", "CN=Other CA"))
USERS = ("DC=ch", "DC=cern", "OU=Users")


def identity(
    *rdns: str | list[str], uris: tuple[str, ...] = (), dns: tuple[str, ...] = (), ca: Credential = ROOT
) -> Identity:
    sans = [*map(x509.UniformResourceIdentifier, uris), *map(x509.DNSName, dns)]
    user = pki.entity(pki.name(*rdns), ca, sans=sans)
    return identify([user.der, ca.der])


ALICE = identity(*USERS, "CN=alice")
ALICE_1 = identity(*USERS, "CN=alice", "CN=12345")
ALICE_OTHER_CA = identity(*USERS, "CN=alice", ca=OTHER_ROOT)
PROXY = pki.proxy(pki.entity(pki.name(*USERS, "CN=alice"), ROOT))
ALICE_PROXY = identify([PROXY.der, PROXY.above[0].public_bytes(pki.Encoding.DER), ROOT.der])
LIMITED_PROXY = pki.proxy(PROXY, language=LIMITED)
ALICE_LIMITED = identify(
    [LIMITED_PROXY.der, *(c.public_bytes(pki.Encoding.DER) for c in (*LIMITED_PROXY.above, ROOT.certificate))]
)
HOST = identity("DC=ch", "DC=cern", "OU=computers", "CN=host/foo.cern.ch", dns=("foo.cern.ch", "BAR.cern.ch"))
WILD = identity("DC=org", "CN=wild", dns=("*.cern.ch",))
WORKLOAD = identity(uris=("spiffe://cern.ch/scraper",))
TWO_URIS = identity("CN=w", uris=("spiffe://cern.ch/scraper", "spiffe://cern.ch/other"))
MULTI = identity("DC=ch", ["CN=Müller, Jörg", "UID=jm/1"])
ROBOT = identity("DC=ch", "O=a/OU=Users", "CN=Robot: O'Brien + Söhne")

ALICE_DN = "dn:/DC=ch/DC=cern/OU=Users/CN=alice"
CA_DN = "dn:/DC=ch/DC=cern/CN=CA"


@pytest.mark.parametrize(
    ("entry", "holds", "who"),
    [
        (ALICE_DN, True, ALICE),
        ("dn:CN=alice,OU=Users,DC=cern,DC=ch", True, ALICE),
        ("dn:cn=alice, ou=Users, dc=cern, dc=ch", True, ALICE),
        (ALICE_DN, True, ALICE_OTHER_CA),
        (ALICE_DN, True, ALICE_PROXY),
        (ALICE_DN, True, ALICE_LIMITED),
        (ALICE_DN, False, ALICE_1),
        (ALICE_DN + "/CN=12345", True, ALICE_1),
        (ALICE_DN + "/CN=12345", False, ALICE),
        (ALICE_DN.replace("alice", "Alice"), False, ALICE),
        (ALICE_DN.replace("alice", "alic"), False, ALICE),
        (ALICE_DN.removesuffix("/CN=alice"), False, ALICE),
        ({"subject": ALICE_DN, "issuer": CA_DN}, True, ALICE),
        ({"subject": ALICE_DN, "issuer": CA_DN}, True, ALICE_PROXY),
        ({"subject": ALICE_DN, "issuer": "dn:CN=CA,DC=cern,DC=ch"}, True, ALICE),
        ({"subject": ALICE_DN, "issuer": CA_DN}, False, ALICE_OTHER_CA),
        ({"subject": ALICE_DN, "issuer": "dn:/DC=org/CN=Other CA"}, True, ALICE_OTHER_CA),
        ({"subject": "dn-under:/DC=ch", "issuer": CA_DN}, False, ALICE_OTHER_CA),
        ({"subject": "dns:foo.cern.ch", "issuer": CA_DN}, True, HOST),
        ({"subject": "dns:foo.cern.ch", "issuer": ALICE_DN}, False, HOST),
        ("dn-under:/DC=ch/DC=cern/OU=Users", True, ALICE),
        ("dn-under:/DC=ch/DC=cern/OU=Users", True, ALICE_1),
        ("dn-under:OU=Users,DC=cern,DC=ch", True, ALICE_PROXY),
        ("dn-under:/DC=ch", True, ALICE),
        ("dn-under:/DC=ch/DC=cern/OU=User", False, ALICE),
        ("dn-under:/DC=cern/OU=Users", False, ALICE),
        ("dn-under:/DC=ch/DC=cern/OU=computers", False, ALICE),
        ("dn-under" + ALICE_DN[2:], False, ALICE),
        ("dn-under:/DC=ch/O=a", False, ROBOT),
        ("dn-under:/DC=ch/O=a\\x2FOU=Users", True, ROBOT),
        ("dn:/DC=ch/DC=cern/OU=computers/CN=host/foo.cern.ch", True, HOST),
        ("dns:foo.cern.ch", True, HOST),
        ("dns:FOO.cern.ch", True, HOST),
        ("dns:bar.cern.ch", True, HOST),
        ("dns:cern.ch", False, HOST),
        ("dns:oo.cern.ch", False, HOST),
        ("dns:foo.cern.ch", False, WILD),
        ("dns:foo.cern.ch", False, ALICE),
        ("uri:spiffe://cern.ch/scraper", True, WORKLOAD),
        ("uri:spiffe://cern.ch/scrape", False, WORKLOAD),
        ("uri:spiffe://cern.ch/Scraper", False, WORKLOAD),
        ("uri:spiffe://cern.ch/scraper", False, TWO_URIS),
        ("uri:spiffe://cern.ch/other", False, TWO_URIS),
        ("dn:/DC=ch/CN=Müller, Jörg+UID=jm/1", True, MULTI),
        ("dn:/DC=ch/UID=jm/1+CN=Müller, Jörg", True, MULTI),
        ("dn:UID=jm/1+CN=Müller\\, Jörg,DC=ch", True, MULTI),
        ("dn:/DC=ch/CN=Mu\u0308ller, Jo\u0308rg+UID=jm/1", True, MULTI),
        ("dn:/DC=ch/CN=Müller, Jörg/UID=jm/1", False, MULTI),
        ("dn:/DC=ch/CN=Müller, Jörg", False, MULTI),
        ("dn:/DC=ch/O=a\\x2FOU=Users/CN=Robot: O'Brien + Söhne", True, ROBOT),
        ("dn:/DC=ch/O=a/OU=Users/CN=Robot: O'Brien + Söhne", False, ROBOT),
        ("fqan:/cms/Role=production", False, ALICE),
    ],
)  # fmt: skip
def test_whom_an_entry_names(entry: str | dict[str, str], *, holds: bool, who: Identity) -> None:
    assert table(operator=[entry]).held_by(who).roles == (expected(who) if holds else NO_ROLES)


def expected(who: Identity) -> frozenset[Role]:
    return frozenset({R}) if who.limited else frozenset({O, R})


def table(**roles: list[str | dict[str, str]]) -> RoleTable:
    return RoleTable.parse(
        "[roles]\n" + "".join(f"{role} = [{toml(entries)}]\n" for role, entries in roles.items())
    )


def toml(entries: list[str | dict[str, str]]) -> str:
    return ", ".join(
        quoted(entry)
        if isinstance(entry, str)
        else "{" + ", ".join(f"{name} = {quoted(value)}" for name, value in entry.items()) + "}"
        for entry in entries
    )


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.parametrize(
    ("held", "roles", "limited"),
    [
        ((), set(), set()),
        ((R,), {R}, {R}),
        ((AG,), {AG, R}, {R}),
        ((O,), {O, R}, {R}),
        ((AD,), {R, AG, O, AD}, {R}),
        ((AG, O), {AG, O, R}, {R}),
        ((R, AD), {R, AG, O, AD}, {R}),
    ],
)
def test_roles_imply_others_and_a_limited_proxy_reads_at_most(
    held: tuple[Role, ...], roles: set[Role], limited: set[Role]
) -> None:
    granted = table(**{role.value: [ALICE_DN] for role in held})
    assert granted.held_by(ALICE).roles == granted.held_by(ALICE_PROXY).roles == roles
    assert granted.held_by(ALICE_LIMITED).roles == limited


@pytest.mark.parametrize(
    ("entry", "fqan", "holds"),
    [
        ("fqan:/cms/Role=production", "/cms/Role=production", True),
        ("fqan:/cms/Role=production/Capability=NULL", "/cms/Role=production", True),
        ("fqan:/cms/Role=NULL/Capability=NULL", "/cms", True),
        ("fqan:/cms", "/cms/Role=production", False),
        ("fqan:/cms/Role=production", "/cms", False),
        ("fqan:/cms/Role=production", "/cms/Role=productions", False),
        ("fqan:/cms/Role=production", "/cms/uscms/Role=production", False),
        ("fqan:/cms/Role=production", "/CMS/Role=production", False),
    ],
)
def test_voms_attributes_grant_when_they_were_verified(entry: str, fqan: str, *, holds: bool) -> None:
    assert table(reader=[entry]).held_by(ALICE, [fqan]).roles == ({R} if holds else NO_ROLES)
    assert table(admin=[entry]).held_by(ALICE_LIMITED, [fqan]).roles == ({R} if holds else NO_ROLES)
    assert table(reader=[entry]).held_by(ALICE).roles == NO_ROLES


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "one section [roles]"),
        ("[role]\nreader = []", "['role']"),
        ("[roles]\n[other]\n", "['other', 'roles']"),
        ("roles = 1", "one section [roles]"),
        ("[roles]\nreaders = []", "'readers' is not a role; roles are reader, agent, operator, admin"),
        ("[roles]\nReader = []", "'Reader' is not a role"),
        ('[roles]\nreader = "dn:/CN=a"', "role reader: 'dn:/CN=a' is not a list"),
        ("[roles]\nreader = [1]", "role reader: 1 is neither"),
        ('[roles]\nreader = ["/CN=a"]', "'/CN=a' does not begin with one of dn:, dns:, uri:, dn-under:"),
        ('[roles]\nreader = ["user:a"]', "'user:a' does not begin with one of dn:"),
        ('[roles]\nreader = ["alice"]', "'alice' does not begin with one of dn:"),
        ('[roles]\nreader = ["dn:"]', "'' is not a distinguished name"),
        ('[roles]\nreader = ["dn:alice"]', "'alice' is not a distinguished name"),
        ('[roles]\nreader = ["dn:/XX=a"]', "unknown attribute type 'XX'"),
        ('[roles]\nreader = ["dn-under:/"]', "'/' is not a distinguished name"),
        ('[roles]\nreader = ["dn:DC=ch,DC=cern,CN=alice"]', "comes first: CN=alice,DC=cern,DC=ch"),
        ('[roles]\nreader = ["dn:/CN=a\\u0000"]', "U+0000"),
        ('[roles]\nreader = ["dns:*.cern.ch"]', "'*.cern.ch' is not a host name"),
        ('[roles]\nreader = ["dns:10.0.0.1"]', "'10.0.0.1' is not a host name"),
        ('[roles]\nreader = ["dns:a..b"]', "'a..b' is not a host name"),
        ('[roles]\nreader = ["dns:"]', "'' is not a host name"),
        ('[roles]\nreader = ["uri:cern.ch/scraper"]', "'cern.ch/scraper' is not a URI"),
        ('[roles]\nreader = ["uri:spiffe://a b"]', "'spiffe://a b' is not a URI"),
        ('[roles]\nreader = ["fqan:cms"]', "'cms' is not of the form /vo/group/Role=role, as VOMS"),
        ('[roles]\nreader = ["fqan:/cms/Role="]', "'/cms/Role=' is not of the form"),
        ('[roles]\nreader = [{subject = "dn:/CN=a"}]', "is neither"),
        ('[roles]\nreader = [{subject = "dn:/CN=a", issuer = "dn:/CN=b", x = "y"}]', "is neither"),
        ('[roles]\nreader = [{subject = "dn:/CN=a", issuer = 1}]', "is neither"),
        ('[roles]\nreader = [{subject = "dn:/CN=a", issuer = "/CN=b"}]', "issuer '/CN=b' of 'dn:/CN=a'"),
        ('[roles]\nreader = [{subject = "dn:/CN=a", issuer = "dn:b"}]', "'b' is not a distinguished name"),
        ('[roles]\nreader = ["dn:/CN=a", "dn:CN=a"]', "role reader: dn:/CN=a is listed twice"),
        ('[roles]\nreader = ["dns:a.org", "dns:A.ORG"]', "role reader: dns:a.org is listed twice"),
        ('[roles]\nreader = ["dn:/CN=a]', "is not TOML"),
        ('[roles]\nagent = [{agents = ["a"]}]', "is neither"),
        ('[roles]\nagent = [{subject = "dn:/CN=a", agents = "a"}]', "'a' is not a list of names such as"),
        ('[roles]\nagent = [{subject = "dn:/CN=a", agents = []}]', "[] is not a list of names such as"),
        ('[roles]\nagent = [{subject = "dn:/CN=a", agents = [1]}]', "1 is not an agent's name"),
        ('[roles]\nagent = [{subject = "dn:/CN=a", agents = ["vocms*"]}]', "'vocms*' is not an agent's name"),
        ('[roles]\nagent = [{subject = "dn:/CN=a", agents = ["a\\n"]}]', "is not an agent's name"),
        ('[roles]\nagent = [{subject = "dn:/CN=a", agents = [""]}]', "'' is not an agent's name"),
        ('[roles]\nadmin = [{subject = "dn:/CN=a", agents = ["a"]}]', "only entries of the role agent"),
        ('[roles]\nagent = ["dn:/CN=a", {subject = "dn:/CN=a", agents = ["a"]}]', "dn:/CN=a is listed twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_roles_file_is_named(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "roles.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        RoleTable.load(path)
    assert str(caught.value).startswith(f"roles file {path}: ")
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "warned"),
    [
        ("dn:/DC=ch/CN=alice ", True),
        ("dn:/DC=ch/CN=alice\u00a0", True),
        ("dn:/DC=ch /CN=alice", True),
        ("dn-under:/DC=ch/OU= Users", True),
        ("dn:/DC=ch/CN=alice bob", False),
        (r"dn:/DC=ch/CN=alice\x20", False),
        ("dn:CN=alice ,DC=ch ", False),
    ],
)
@pytest.mark.parametrize(
    "form", ["reader = [\n  # 'x '\n  ENTRY,\n]", "admin = [{subject = ENTRY, issuer = 'dn:/CN=x'}]"]
)
def test_white_space_that_nobody_sees_is_warned_of_with_its_line(entry: str, warned: bool, form: str) -> None:
    """It counts: the certificate of whoever is meant does not have it."""
    written = f"'{entry}'"
    text = f"# {written}\n\n[roles]\n{form.replace('ENTRY', written)}\n"
    warnings = RoleTable.parse(text).warnings
    assert bool(warnings) is warned
    if warned:
        line = next(n for n, line in enumerate(text.splitlines(), 1) if n > 1 and written in line)
        assert warnings[0].startswith(f"line {line}: {entry.partition(':')[2]!r} has white space")


AGENTS_OF_ALICE = (
    "[roles]\nagent = ['dns:foo.cern.ch', {subject = 'dn:/DC=ch/DC=cern/OU=Users/CN=alice',"
    " agents = ['vocms1', 'vocms2'], issuer = 'dn:/DC=ch/DC=cern/CN=CA'},"
    " {subject = 'dn-under:/DC=ch/DC=cern/OU=Users', agents = ['vocms3']}]"
)


@pytest.mark.parametrize(
    ("who", "agents"),
    [
        (ALICE, {"vocms1", "vocms2", "vocms3"}),
        (ALICE_PROXY, {"vocms1", "vocms2", "vocms3"}),
        (ALICE_LIMITED, set()),
        (ALICE_1, {"vocms3"}),
        (ALICE_OTHER_CA, {"vocms3"}),
        (HOST, set()),
        (WILD, set()),
    ],
)
def test_an_agent_reports_for_the_names_of_all_its_entries(who: Identity, agents: set[str]) -> None:
    """An entry without names lets nobody report for anything, and warns of that."""
    found = RoleTable.parse(AGENTS_OF_ALICE)
    assert found.held_by(who).agents == agents
    assert found.warnings == (
        'role agent: dns:foo.cern.ch names no agents, and may report for none; add agents = ["NAME"]',
    )


@given(st.text())
def test_any_text_is_a_table_or_a_clear_error(text: str) -> None:
    for whole in (text, f"[roles]\nreader = [{quoted(text)}]"):
        with contextlib.suppress(ConfigError):
            RoleTable.parse(whole)


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666, 0o602])
def test_a_file_that_others_may_write_is_refused(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "roles.toml"
    path.write_text("[roles]\n")
    path.chmod(mode)
    with pytest.raises(ConfigError, match=f"mode 0{mode:o}.*chmod go-w"):
        RoleTable.load(path)
    path.chmod(0o644)
    assert len(RoleTable.load(path)) == 0


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        RoleTable.load(tmp_path / "none.toml")
    path = tmp_path / "roles.toml"
    path.write_bytes(b"\xff")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="not UTF-8: octet 0xff at 0"):
        RoleTable.load(path)
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        RoleTable.load(tmp_path)


def test_ten_thousand_entries_are_looked_up_and_not_walked() -> None:
    entries: list[str | dict[str, str]] = [f"dn:/DC=ch/CN=user {n}" for n in range(10_000)]
    big = table(reader=[*entries, ALICE_DN], admin=["dn-under:/DC=ch/DC=cern/OU=Users"])
    assert len(big) == 10_002
    looked_up: list[object] = []

    class Watched(dict[object, object]):
        def get(self, key: object, default: object = None) -> object:
            looked_up.append(key)
            return super().get(key, default)

    watched = RoleTable(Watched(big.grants))  # type: ignore[arg-type]
    assert watched.held_by(ALICE).roles == set(Role)
    assert looked_up == [
        ("dn", ALICE.subject),
        *(("dn-under", Dn(ALICE.subject.rdns[:depth])) for depth in (1, 2, 3)),
    ]
