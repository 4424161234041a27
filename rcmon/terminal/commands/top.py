"""`rcmon-cli top`."""

import os
import sys

import click

from rcmon.terminal.session import Session, asking
from rcmon.terminal.top.feed import Feed
from rcmon.terminal.top.running import run
from rcmon.terminal.top.screen import Screen


@click.command()
@click.option(
    "--interval",
    type=click.FloatRange(1, 3600),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How often the service is asked; what has not changed is not sent again.",
)
@asking(form=False)
def top(session: Session, *, interval: float) -> None:
    """Show sites, agents and findings live, as htop does processes; h there tells the keys.

    It says how old what is shown is, and goes on when the service comes back.
    """
    # whatever is wrong with the certificate is said before the screen is taken
    client = session.client
    color = not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
    with Screen(sys.stdin.fileno(), sys.stdout.fileno(), color=color) as screen:
        feed = Feed(client, lambda: session.connect(ask=False), interval)
        feed.start()
        try:
            status = run(screen, feed)
        finally:
            feed.close()
    click.get_current_context().exit(status)
