"""Asking web services, with TLS, within bounds of time and size: what all kinds over HTTP share."""

from rcmon.sources.http.asking import Asking
from rcmon.sources.http.body import json_of
from rcmon.sources.http.service import HTTPService
from rcmon.sources.http.settings import HTTPConfig

__all__ = ["Asking", "HTTPConfig", "HTTPService", "json_of"]
