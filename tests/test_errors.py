"""What rcmon says is wrong can be written anywhere, whatever names it has from others."""

import pytest

from rcmon.errors import ConfigError, IdentityError, RcmonError, SourceError, writable


def test_a_text_that_can_be_written_is_left_alone() -> None:
    assert writable("é\n\N{SNOWMAN} \\udcff") == "é\n\N{SNOWMAN} \\udcff"


@pytest.mark.parametrize("kind", [RcmonError, SourceError, ConfigError])
def test_a_message_has_nothing_that_cannot_be_encoded_or_stored(kind: type[RcmonError]) -> None:
    assert str(kind("h\udcff.lsc: \0 is odd")) == r"h\udcff.lsc: \x00 is odd"


def test_messages_that_are_given_apart_have_neither() -> None:
    error = ConfigError("h\udcff", "\0")
    assert error.messages == (r"h\udcff", r"\x00")
    assert str(error) == r"h\udcff; \x00"
    assert str(IdentityError("voms", "\udcff")) == r"\udcff"
