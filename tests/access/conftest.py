"""Fixtures of the access tests."""
