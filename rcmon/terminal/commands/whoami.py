"""`rcmon-cli whoami`."""

import click

from rcmon.terminal.answers import as_type
from rcmon.terminal.session import Session, asking, no_csv
from rcmon.terminal.shapes import WhoamiSeen
from rcmon.terminal.words import time_of


@click.command()
@asking()
def whoami(session: Session) -> None:
    """Say who the service takes you for, and what you may do there."""
    no_csv(session, "whoami")
    document = session.client.get("/whoami").document
    if session.out.form == "json":
        session.out.document(document)
        return
    me = as_type(document, WhoamiSeen, "what is told of you")
    session.out.line(me.subject.slash, "bold")
    session.out.line(f"issued by    {me.issuer.slash}")
    session.out.line(
        f"roles        {', '.join(me.roles) or 'none: you may ask who you are, and nothing else'}"
    )
    if me.agents:
        session.out.line(f"reports for  {'every agent' if '*' in me.agents else ', '.join(me.agents)}")
    session.out.line(f"valid until  {time_of(me.expires)}")
    if me.proxy:
        session.out.line(
            "by           a limited proxy: it may read" if me.limited else "by           a proxy"
        )
    for one in me.fqans:
        session.out.line(
            f"VOMS         {one.name}" + ("" if one.verified else " (not verified: grants nothing)")
        )
