"""Every error rcmon raises on purpose: a message names what was wrong, its value, and what would be right."""

UNREADABLE = (ValueError, RecursionError)
"""What decoding raises of octets that are no document: msgspec's errors are ValueErrors, as are those of a
text that is no UTF-8 or no base64; what is nested too deeply is a RecursionError."""


def writable(text: str) -> str:
    """Give a text so that it can be encoded and stored, whatever names of others' stand in it.

    The name of a file may be no UTF-8 (Python then has lone surrogates in it), and PostgreSQL takes no NUL.
    """
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


class RcmonError(Exception):
    """The root: whatever rcmon itself finds wrong. Its message can be encoded and stored."""

    def __init__(self, *said: object) -> None:
        super().__init__(*(writable(one) if isinstance(one, str) else one for one in said))


class ConfigError(RcmonError):
    """Options, sections, variables or files that cannot be used; each message is one line (exit code 78)."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = tuple(map(writable, messages))


class StoreError(RcmonError):
    """The store cannot do what was asked."""


class StoreBusyError(StoreError):
    """The store is held by somebody else; the same call may succeed later."""


class StoreCorruptError(StoreError):
    """The store's file is damaged, or is not a store of rcmon."""


class StoreForeignError(StoreError):
    """The store is another program's, or another service's of rcmon: it is left alone."""


class SourceError(RcmonError):
    """A source could not be polled; the message names the reason without any secret."""


class IdentityError(RcmonError):
    """A certificate chain that proves nobody.

    `reason` is one of `rcmon.access.identity.REFUSALS` and is safe as a metric label.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
