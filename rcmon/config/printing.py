"""`--print-config`: the configuration as TOML that can be read back, with the origin of each value."""

import json
from collections.abc import Iterator

from sqlalchemy.engine import make_url

from rcmon.config.config import Config
from rcmon.config.options import OPTIONS, Option
from rcmon.config.values import Value

_SECRET = ("password", "passwd")
"""Parameters of a database URL that are never printed."""


def printed(config: Config) -> str:
    """Print every value with its origin; what has none, or cannot stand in the file, is a comment."""
    return "\n".join(_lines(config))


def _lines(config: Config) -> Iterator[str]:
    for section in dict.fromkeys(option.section for option in OPTIONS if option.section):
        yield f"[{section}]"
        for option in (each for each in OPTIONS if each.section == section):
            yield _line(option, option.key, config)
        yield ""
    yield "# on the command line and in the environment only"
    for option in OPTIONS:
        if option.section is None:
            yield "# " + _line(option, option.name, config).removeprefix("# ")


def _line(option: Option, name: str, config: Config) -> str:
    value: Value = getattr(config, option.attribute)
    origin = " ".join(config.origins[option.attribute].split())
    if value is None:
        return f"# {name} = ...  # {origin}"
    if option.name == "database":
        shown = _without_secrets(str(value))
        origin += "" if shown == value else "; its password is not printed"
        value = shown
    return f"{name} = {_toml(value)}  # {origin}"


def _without_secrets(text: str) -> str:
    """Leave the password out of a database URL."""
    url = make_url(text)
    secret = [name for name in url.query if name.lower() in _SECRET]
    if url.password is None and not secret:
        return text
    return url._replace(password=None).difference_update_query(secret).render_as_string(hide_password=True)


def _toml(value: Value) -> str:
    """Write a value as TOML does; of a text, JSON escapes all that TOML would not take but DEL."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower()
