"""`python -m rcmon.tools.dn CERT`: what to write into a roles file for a certificate or proxy."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rcmon.access.chain import ChainLink
from rcmon.access.der.alternative_names import AlternativeNames, read_alternative_names
from rcmon.access.der.oids import SUBJECT_ALT_NAME
from rcmon.errors import RcmonError
from rcmon.tools.pem import end_entity, read_certificates


def entries(entity: ChainLink) -> Iterator[str]:
    """Give the entries that name a certificate's owner, each with a comment, as lines of a TOML list."""
    if entity.subject.rdns:
        subject, issuer = _quoted(f"dn:{entity.subject}"), _quoted(f"dn:{entity.issuer}")
        yield "# by subject, whichever trusted CA issued it"
        yield f"{subject},"
        yield "# by subject, if this CA issued it"
        yield f"{{subject = {subject}, issuer = {issuer}}},"
    sans = _alternative_names(entity)
    for host in sans.dns:
        if "*" not in host:
            yield "# by host name"
            yield f"{_quoted(f'dns:{host}')},"
    if len(sans.uris) == 1:
        yield "# by URI"
        yield f"{_quoted(f'uri:{sans.uris[0]}')},"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m rcmon.tools.dn",
        description="Print the lines for a role's list in roles.toml that name the owner of a certificate.",
    )
    parser.add_argument(
        "certificate", metavar="CERT", type=Path, help="certificate or proxy file, PEM or DER"
    )
    path = parser.parse_args(arguments).certificate
    try:
        lines = list(entries(end_entity(path, read_certificates(path))))
        if not lines:
            sys.stderr.write(f"{path}: the certificate has no subject, host name or single URI to go by\n")
            return 1
    except RcmonError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def _alternative_names(entity: ChainLink) -> AlternativeNames:
    extension = entity.fields.extensions.get(SUBJECT_ALT_NAME)
    return read_alternative_names(extension.value) if extension else AlternativeNames()


def _quoted(text: str) -> str:
    """Write a TOML basic string; JSON's strings are such."""
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
