"""Everything on the page can be read: text against its background, in both colour schemes (WCAG 2, 1.4.3)."""

import re

import pytest

from rcmon.web.page.assets import STATIC

ENOUGH = 4.5
STYLE = "\n".join(path.read_text() for path in sorted(STATIC.rglob("*.css"), reverse=True))
RULES = re.findall(r"([^{}]+)\{([^{}]*)\}", STYLE)
SCHEMES = {
    name: dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", body))
    for name, (_, body) in zip(
        ("light", "dark"), [rule for rule in RULES if "--page:" in rule[1]], strict=True
    )
}
TEXTS = ("ink", "ink-2", "ink-3", "link", "bad")
"""Colours of text that stands on any of GROUNDS."""
GROUNDS = ("page", "card", "hover")


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def rules_with_both() -> list[tuple[str, str, str]]:
    """Give each rule that sets a text's colour and its background: its selector and both."""
    found = []
    for selector, body in RULES:
        colour = re.search(r"(?<![-\w])color:\s*(var\(--[\w-]+\)|#[0-9a-f]+)", body)
        ground = re.search(r"background:\s*(var\(--[\w-]+\)|#[0-9a-f]+)", body)
        if colour and ground:
            found.append((selector.strip().splitlines()[-1], colour[1], ground[1]))
    return found


def in_scheme(value: str, scheme: str) -> str:
    name = re.fullmatch(r"var\(--([\w-]+)\)", value)
    # the dark scheme changes what it names of the light one
    return {**SCHEMES["light"], **SCHEMES[scheme]}[name[1]] if name else value.replace("#fff", "#ffffff")


def test_the_measure() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#6b7583", "#f5f6f8") == pytest.approx(4.31, abs=0.01)  # what axe says of these


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_on_every_ground(scheme: str) -> None:
    for text in TEXTS:
        for ground in GROUNDS:
            ratio = contrast(in_scheme(f"var(--{text})", scheme), in_scheme(f"var(--{ground})", scheme))
            assert ratio >= ENOUGH, (text, ground, ratio)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_rule_that_sets_both(scheme: str) -> None:
    rules = rules_with_both()
    assert len(rules) > 10
    for selector, colour, ground in rules:
        ratio = contrast(in_scheme(colour, scheme), in_scheme(ground, scheme))
        assert ratio >= ENOUGH, (selector, ratio)


def test_nothing_fades_text() -> None:
    own = "".join(path.read_text() for path in STATIC.glob("*.css"))
    assert "opacity" not in own
    assert re.search(r"\.u-legend \{ pointer-events: none", own), "uPlot's style fades what is clicked away"
    used = set(re.findall(r"(?<![-\w])color:\s*var\(--([\w-]+)\)", STYLE))
    grounds = {colour[6:-1] for _, colour, _ in rules_with_both() if colour.startswith("var")}
    assert used <= {*TEXTS, *grounds}, "a colour of text that no test sees"
