"""Fixtures of the access tests."""

from hypothesis import settings

settings.register_profile("access", deadline=None)  # a busy machine is slow, not wrong
settings.load_profile("access")
