"""Everybody can use every page: axe finds nothing wrong in any look, with trouble in the data."""

from importlib.resources import files

import pytest

from tests.browser.conftest import Enter
from tests.browser.screenshots import LOOKS, pages
from tests.browser.site import Site

AXE = files("axe_core_python").joinpath("axe.min.js").read_text()
# what is closed is opened: all that can be seen is judged
RUN = """async () => {
  for (const closed of document.querySelectorAll("details")) closed.open = true;
  const result = await axe.run(document, {resultTypes: ["violations"]});
  const told = each => each.id + ": " + each.nodes.map(node => node.target).join(", ");
  return [result.passes.length, result.violations.map(told)];
}"""


@pytest.fixture(scope="module")
def site(troubled: Site) -> Site:
    return troubled


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_on_any_page(enter: Enter, troubled: Site, look: str) -> None:
    found = {}
    for who in ("operator", "stranger"):
        context = enter(who, bypass_csp=True, **LOOKS[look])
        page = context.new_page()
        for name, path in pages().items():
            if (who == "stranger") == (name == "forbidden"):
                page.goto(troubled.url(path))
                page.evaluate(AXE)
                passes, violations = page.evaluate(RUN)
                assert passes > 0
                if violations:
                    found[name] = violations
        context.close()
    assert found == {}
