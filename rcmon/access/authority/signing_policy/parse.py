"""The `HASH.signing_policy` file: which subjects a CA may sign (Globus' Extended Access Control List).

    access_id_CA   X509    '/DC=ch/DC=cern/CN=CERN Grid Certification Authority'
    pos_rights     globus  CA:sign
    cond_subjects  globus  '"/DC=ch/DC=cern/*" "/DC=ch/OU=Robots/*"'

As in Globus words stand anywhere, `#` begins a comment, and a pattern is the whole subject or, with `*` at
its end, how it begins. What Globus, VOMS and CANL read differently - a `*` elsewhere, negative rights, rights
without a condition - is an error here, and an error refuses the CA.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from rcmon.access.names.attribute_types import NAMES, oid_of
from rcmon.access.names.dn import Dn, DnError
from rcmon.errors import RcmonError

WORD = re.compile(
    r"""\s*(?:\#[^\n]*\s*)*             # comments
        (?: '(?P<single>(?:\\.|[^'\\])*)'
          | "(?P<double>[^"]*)"
          | (?P<bare>[^\s'"\#]\S*)
          | (?P<wrong>\S)
          | \Z )""",
    re.VERBOSE | re.DOTALL,
)
SUBJECT = re.compile(r'\s*"([^"]*)"(?=\s|\Z)')
ESCAPE = re.compile(r"\\(?!x[0-9A-Fa-f]{2}|[/+])(.)", re.DOTALL)
"""A backslash stands for what follows it, but `\\xHH`, `\\/` and `\\+`, which OpenSSL prints, stay."""
OCTET = re.compile(r"\\x[0-9a-fA-F]{2}")
TYPE = re.compile(r"(?<!\\)/([A-Za-z][A-Za-z0-9-]*)=")
SEPARATOR = re.compile(r"\\([/+])([A-Za-z][A-Za-z0-9-]*=)?")
"""One that belongs to a value, as OpenSSL 3 prints it; behind it what would make it one between values."""


class PolicyError(RcmonError):
    """A signing policy that cannot be used; the message says what is wrong and in which line."""


class SigningPolicy(Struct, frozen=True):
    """What one CA may sign."""

    authority: Dn
    subjects: tuple[str, ...]
    """Patterns in the form that `slash_form` gives."""

    def allows(self, subject: Dn) -> bool:
        """Whether the CA may sign a certificate of this subject."""
        text = slash_form(str(subject))
        return any(
            text.startswith(pattern[:-1])
            if pattern.endswith("*")
            else text == pattern or _is_name(pattern, subject)
            for pattern in self.subjects
        )


def _is_name(pattern: str, subject: Dn) -> bool:
    """Tell whether a whole name is meant, which may say the parts of a multi-valued RDN in another order."""
    try:
        return Dn.parse(pattern) == subject
    except DnError:
        return False


def slash_form(text: str) -> str:
    r"""Bring a name, or the beginning of one, to one form: type names as OpenSSL's, octets as `\xHH`.

    So `/Email=`, `/E=` and `/emailAddress=` are the same, and so are `ü` and `\xC3\xBC`.
    """
    text = TYPE.sub(_type, text)
    text = SEPARATOR.sub(lambda found: _inside(*found.groups()), text)
    text = OCTET.sub(lambda octet: f"\\x{octet[0][2:].upper()}", text)
    return "".join(c if c.isascii() else "".join(f"\\x{octet:02X}" for octet in c.encode()) for c in text)


def _inside(separator: str, attribute: str | None) -> str:
    return f"\\x{ord(separator):02X}{attribute}" if attribute else separator


def _type(written: re.Match[str]) -> str:
    try:
        return f"/{NAMES[oid_of(written[1])]}="
    except (ValueError, KeyError):
        return written[0]


def parse_signing_policy(text: str) -> tuple[SigningPolicy, ...]:
    """Read a file's text: one policy for each `access_id_CA`. Raises PolicyError."""
    words = _Words(text)
    policies = []
    while words.next is not None:
        words.expect("access_id_CA")
        words.expect("X509")
        authority = words.name()
        subjects: list[str] = []
        while words.next == "pos_rights":
            subjects += _right(words)
        if not subjects:
            raise words.error("'pos_rights globus CA:sign'")
        policies.append(SigningPolicy(authority, tuple(subjects)))
    if not policies:
        raise PolicyError("it holds no access_id_CA entry")
    return tuple(policies)


def _right(words: "_Words") -> list[str]:
    words.expect("pos_rights")
    words.expect("globus")
    words.expect("CA:sign")
    subjects: list[str] = []
    while words.next == "cond_subjects":
        words.expect("cond_subjects")
        words.expect("globus")
        subjects += words.subjects()
    if not subjects:
        raise words.error("'cond_subjects globus'")
    return subjects


class _Words:
    """The words of a file; `next` is the one to come, None at the end."""

    def __init__(self, text: str) -> None:
        self._words = _split(text)
        self.line = 1
        self.next: str | None = None
        self._advance()

    def _advance(self) -> None:
        self.line, self.next = next(self._words, (self.line, None))

    def take(self, what: str) -> str:
        if self.next is None:
            raise self.error(what)
        word = self.next
        self._advance()
        return word

    def expect(self, word: str) -> None:
        if self.next != word:
            raise self.error(f"'{word}'")
        self._advance()

    def error(self, expected: str) -> PolicyError:
        found = "the end of the file" if self.next is None else repr(self.next)
        return PolicyError(f"line {self.line}: expected {expected}, found {found}")

    def name(self) -> Dn:
        line, text = self.line, self.take("the CA's name")
        try:
            return Dn.parse(text)
        except DnError as error:
            raise PolicyError(f"line {line}: {error}") from error

    def subjects(self) -> list[str]:
        line, text = self.line, self.take("the subjects")
        patterns = SUBJECT.findall(text)
        if not patterns:
            patterns = [text.strip()]
        elif SUBJECT.sub("", text).strip():
            raise PolicyError(f"line {line}: {text!r} is not a list of subjects, each in double quotes")
        for pattern in patterns:
            if not pattern or '"' in pattern or "*" in pattern[:-1] or pattern[0] not in "/*":
                raise PolicyError(
                    f"line {line}: {pattern!r} is not a subject in slash form, whole or with one * at its end"
                )
        return [slash_form(pattern) for pattern in patterns]


def _split(text: str) -> Iterator[tuple[int, str]]:
    """Give each word with its line."""
    at, line = 0, 1
    while (match := WORD.match(text, at)) is not None and match.lastgroup is not None:
        start = match.start(match.lastgroup)
        line += text.count("\n", at, start)
        if match["wrong"] is not None:
            raise PolicyError(f"line {line}: a quotation that begins here does not end")
        word = match[match.lastgroup]
        yield line, ESCAPE.sub(r"\1", word) if match["single"] is not None else word
        line += text.count("\n", start, match.end())
        at = match.end()
