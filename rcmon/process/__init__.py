"""The processes of one service: who forks them, watches them, and lets them leave in peace."""

from rcmon.process.activation import given_sockets
from rcmon.process.child import run_async, run_single
from rcmon.process.chore import Chore
from rcmon.process.context import ChildContext, ChildSpec
from rcmon.process.leave import leave
from rcmon.process.loop import Main
from rcmon.process.notify import Notifier
from rcmon.process.sockets import bind_local, bind_sockets, is_answered, listening_at
from rcmon.process.supervisor import Supervisor
from rcmon.process.watched import Ceilings, Limits

__all__ = [
    "Ceilings",
    "ChildContext",
    "ChildSpec",
    "Chore",
    "Limits",
    "Main",
    "Notifier",
    "Supervisor",
    "bind_local",
    "bind_sockets",
    "given_sockets",
    "is_answered",
    "leave",
    "listening_at",
    "run_async",
    "run_single",
]
