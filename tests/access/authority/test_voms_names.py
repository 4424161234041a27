"""The names of VOMS attributes, and the names in .lsc files."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rcmon.access.authority.voms import normalise
from rcmon.access.authority.voms.fqan import VomsError
from rcmon.access.authority.voms.lsc import parse_lsc, read_lsc
from rcmon.access.names.dn import Dn
from rcmon.files.reading import FileError

FILE = Path("x.lsc")


@pytest.mark.parametrize(
    ("written", "fqan"),
    [
        ("/cms", "/cms"),
        ("/cms/Role=NULL/Capability=NULL", "/cms"),
        ("/cms/Role=NULL", "/cms"),
        ("/cms/Capability=NULL", "/cms"),
        ("/cms/Role=production/Capability=NULL", "/cms/Role=production"),
        ("/cms/uscms/Role=cmst1-x.y", "/cms/uscms/Role=cmst1-x.y"),
        ("/vo.example.org/a/b/Capability=long", "/vo.example.org/a/b/Capability=long"),
    ],
)
def test_what_says_nothing_is_left_out_of_an_attribute(written: str, fqan: str) -> None:
    assert normalise(written) == normalise(fqan) == fqan


@pytest.mark.parametrize(
    "written",
    [
        *("", "/", "cms", "/cms/", "//cms", "/cms//x", "/Role=x", "/cms/Role=", "/cms/Role=a/b"),
        *("/cms/Role=a/Role=b", "/cms/Capability=a/Role=b", "/cms x", "/cms/Role=é", "/cms\n", "/cms/*"),
    ],
)
def test_other_attributes_are_refused(written: str) -> None:
    with pytest.raises(VomsError, match="is not of the form /vo/group"):
        normalise(written)


def test_an_lsc_file_is_read() -> None:
    text = (
        '# cms\n\n"/DC=ch/CN=one"\n/DC=ch/CN=CA\n------ NEXT CHAIN ------\r\n'
        "  /CN=two  \n/CN=Middle\n/CN=Middle\n/CN=Root\n"
        "-----next chain-----\n/CN=3\n/emailAddress=ca@x/CN=C\n"
    )
    one, two, three = parse_lsc(text, FILE)
    assert one == ((Dn.parse("/DC=ch/CN=one"), Dn.parse("/DC=ch/CN=CA")),)
    assert two == (
        (Dn.parse("/CN=two"), Dn.parse("/CN=Middle")),
        (Dn.parse("/CN=Middle"), Dn.parse("/CN=Root")),
    )
    assert three[0][1] == Dn.parse("/Email=ca@x/CN=C")


def test_an_lsc_file_may_hold_what_openssl_3_prints() -> None:
    (chain,) = parse_lsc("/DC=org/CN=voms\\/a.example.org\n/DC=org/O=a\\+b+CN=CA\n", FILE)
    assert chain == ((Dn.parse("/DC=org/CN=voms/a.example.org"), Dn.parse("/DC=org/CN=CA+O=a\\x2Bb")),)


def test_white_space_at_the_end_of_a_line_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "x.lsc"
    path.write_bytes(b"# a \r\n/CN=a \r\n/CN=b\r\n--- NEXT CHAIN ---\n/O=c /CN=c\n/CN=d\t\n")
    found = read_lsc(path)
    assert found.chains == parse_lsc("/CN=a\n/CN=b\n--- NEXT CHAIN ---\n/O=c /CN=c\n/CN=d", path)
    assert [warning.split(": ")[0] for warning in found.warnings] == [
        f"{path}, line {number}" for number in (1, 2, 5, 6)
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "x.lsc: a chain is one or more pairs"),
        ("/CN=a\n", "x.lsc: a chain is one or more pairs"),
        ("/CN=a\n/CN=b\n--- NEXT CHAIN ---\n", "x.lsc: a chain is one or more pairs"),
        ("/CN=a\nCN=b\n", "x.lsc, line 2: 'CN=b' is not a name in slash form"),
        ("/CN=a\n/nonsense=b\n", "x.lsc, line 2: '/nonsense=b' is not a distinguished name"),
    ],
)
def test_a_malformed_lsc_file_is_named_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(FileError, match=reason):
        parse_lsc(text, FILE)


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from(["/CN=a", "/O=b/CN=c", "-NEXT CHAIN-", '"', "#", "x"])).map("\n".join)
)
def test_any_text_gives_chains_or_a_file_error(text: str) -> None:
    with contextlib.suppress(FileError):
        assert all(parse_lsc(text, FILE))


@given(st.text(max_size=60) | st.from_regex(r"(/[a-z=/NULRoleCapbity]{0,9}){0,5}"))
def test_any_attribute_is_normalised_once_for_all_or_refused(text: str) -> None:
    with contextlib.suppress(VomsError):
        assert normalise(normalise(text)) == normalise(text)
