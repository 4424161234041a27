"""What `override set --help` says of how long an override lasts is what the rule does."""

from click.testing import CliRunner

from rcmon.terminal.commands import override


def test_toggle_lasts_until_what_would_hold_by_itself_agrees() -> None:
    command = override.override
    answer = CliRunner().invoke(command, ["set", "--help"])
    assert answer.exit_code == 0
    assert "Until it would be the same without it." in answer.output
    assert "something new" not in answer.output
