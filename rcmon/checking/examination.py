"""`--check-config`: everything that a configuration names, to the end, whatever is wrong on the way."""

from sqlalchemy.engine import make_url

from rcmon.checking.certificates import examine_certificates
from rcmon.checking.control import examine_control
from rcmon.checking.people import examine_roles
from rcmon.checking.places import examine_places
from rcmon.checking.polled import examine_sources, unknown_host
from rcmon.checking.probing import probe
from rcmon.checking.report import Report
from rcmon.checking.start import check, store_url
from rcmon.config import Config
from rcmon.demo.demo import Demo
from rcmon.store.address import parse

_REPLACED = ("tls_cert", "tls_key", "tls_ca", "roles_file", "sources_file")
"""What the demo brings itself."""


def examine(given: Config, config: Config, demo: Demo | None) -> Report:
    """Examine a configuration: `given` by the user, and as it would be used, which in the demo differs.

    Nothing is started, and nothing is changed.
    """
    report = Report()
    authorities = examine_certificates(config, report)
    examine_roles(config, report, authorities)
    sources = examine_sources(config, demo, report)
    examine_control(config, report)
    _examine_store(config, report)
    examine_places(config, report)
    _examine_demo(given, demo, report)
    if not report.errors:
        # the start's own way, so that what would stop it is never missed here
        with report.refusing(), Report().listening("rcmon"):
            check(config, demo)
    if config.probe:
        probe(config, report, sources)
    return report


def _examine_store(config: Config, report: Report) -> None:
    with report.refusing():
        address = parse(store_url(config))
        report.tell(f"store: {address}")
        if address.path is None and address.url.host and (why := unknown_host(address.url.host)):
            report.error(f"--database: host {address.url.host!r} is not known ({why})")
    if config.database and make_url(config.database).password is not None:
        report.warn(
            "--database: holds a password, which others may see; name a file by --database-password-file"
        )


def _examine_demo(given: Config, demo: Demo | None, report: Report) -> None:
    if demo is None:
        return
    replaced = [name for name in _REPLACED if given.origins[name] != "default"]
    for name in replaced:
        report.warn(f"--{name.replace('_', '-')}: not used: the demo brings its own")
    if given.database is not None:
        report.warn("--database: the demo writes its made-up grid there")
