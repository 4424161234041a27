"""The configuration file: TOML with sections, each key an option."""

import difflib
from collections import OrderedDict
from collections.abc import Iterable
from typing import TextIO

import configargparse

from rcmon.config.options import Option, by_place
from rcmon.errors import ConfigError
from rcmon.files.reading import parse_toml


def closest(word: str, known: Iterable[str]) -> str:
    """Offer the known word that a misspelt one most likely meant."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


class TomlReader(configargparse.ConfigFileParser):  # type: ignore[misc]  # it has no type hints
    """Reads `[section] key = value` as `--section-key=value` and refuses what no option is called."""

    def __init__(self) -> None:
        super().__init__()
        self.places = by_place()

    def parse(self, stream: TextIO) -> OrderedDict[str, str]:
        """Read the file; raises ConfigFileParserException that names file, section and key."""
        name = getattr(stream, "name", "configuration file")
        try:
            sections = parse_toml(stream.read())
        except UnicodeDecodeError as error:
            raise configargparse.ConfigFileParserException(
                f"{name}: is not UTF-8 at octet {error.start}; save it as UTF-8"
            ) from None
        except ConfigError as error:
            raise configargparse.ConfigFileParserException(f"{name}: {error}") from None
        items = OrderedDict[str, str]()
        for section, keys in sections.items():
            for key, value in self._keys(name, section, keys).items():
                items[self._option(name, section, key).name] = self._text(name, section, key, value)
        return items

    def _keys(self, name: str, section: str, keys: object) -> dict[str, object]:
        known = list(dict.fromkeys(place[0] for place in self.places))
        if not isinstance(keys, dict):
            raise configargparse.ConfigFileParserException(
                f"{name}: {section!r} stands outside a section; sections are {', '.join(known)}"
            )
        if section not in known:
            hint = closest(section, known)
            raise configargparse.ConfigFileParserException(
                f"{name}: unknown section [{section}]{hint}; sections are {', '.join(known)}"
            )
        return keys

    def _option(self, name: str, section: str, key: str) -> Option:
        option = self.places.get((section, key))
        if option is None:
            known = [place[1] for place in self.places if place[0] == section]
            hint = closest(key, known)
            raise configargparse.ConfigFileParserException(
                f"{name}: unknown key {key!r} in [{section}]{hint}; keys are {', '.join(known)}"
            )
        return option

    def _text(self, name: str, section: str, key: str, value: object) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, (str, int, float)):
            return str(value)
        raise configargparse.ConfigFileParserException(
            f"{name}: [{section}] {key} = {value!r} is not a text, a number, true or false"
        )
