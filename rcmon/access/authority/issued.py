"""A verified chain as the CAs' own rules see it: who issued whom, proxies left out."""

import itertools
from collections.abc import Iterator

from rcmon.access.chain import Chain, Link


def issued(chain: Chain) -> Iterator[tuple[Link, Link]]:
    """Pair each certificate that a CA issued with that CA.

    Proxies are left out: end entities issue them, and no CA's list or policy speaks of them. So is the last
    certificate, the trust anchor.
    """
    return itertools.pairwise(itertools.dropwhile(lambda link: link.proxy is not None, chain))
