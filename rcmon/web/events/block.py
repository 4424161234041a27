"""Bytes of events as streams send them: made once, shared by all who asked for the same."""

from rcmon.documents.deflated import deflated_part
from rcmon.web.answers.answer import Block


def block(plain: bytes) -> Block:
    """Make a block; large ones take a while, so do it in a thread."""
    return Block(plain, deflated_part(plain))
