"""Why the bridge does not answer: each reason by a fixed word, told once while it lasts."""

from rcmon.errors import RcmonError


class DoubtError(RcmonError):
    """What makes an answer not fit to be given to an agent.

    `kind` is a fixed word for it; the message says it to a person, with names and numbers.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
