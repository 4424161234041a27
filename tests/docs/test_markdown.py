"""What Markdown becomes: no HTML of a text, no style in place, cells that say what they are."""

import pytest

from rcmon.docs.markdown import ChapterHeading, anchor, written

BASE = "/base/docs"


def html(text: str) -> str:
    return written(text, BASE)[0]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <b onclick=x>b</b>",
        "[a](javascript:alert(1))",
        '![x](data:text/html,"<b>")',
    ],
)
def test_no_html_and_no_script_passes_through(text: str) -> None:
    made = html(text)
    assert "<script" not in made
    assert "<b" not in made
    assert "href" not in made
    assert "src" not in made


def test_what_is_fenced_is_code_that_is_escaped_and_can_be_scrolled_by_keys() -> None:
    assert html("```sh\na < b &&\n```\n") == '<pre tabindex="0"><code>a &lt; b &amp;&amp;\n</code></pre>\n'
    assert html("    x\n") == '<pre tabindex="0"><code>x\n</code></pre>\n'


def test_a_cell_says_what_it_is() -> None:
    made = html("| one \\| two | n |\n|---|---:|\n| `a \\| b` | 1 |\n\n| c |\n|---|\n| x |\n")
    assert '<th scope="col">one | two</th>' in made
    assert '<td data-label="one | two"><code>a | b</code></td>' in made
    assert '<td class="num" data-label="n">1</td>' in made
    assert '<td data-label="c">x</td>' in made
    assert 'aria-label="Table 2"' in made
    assert "style=" not in made


def test_a_heading_has_the_anchor_that_hosts_of_code_give_it() -> None:
    made, headings = written("# What may happen, and why\n\n## `--check-config` & co\n", BASE)
    assert headings == [
        ChapterHeading(1, "What may happen, and why", "what-may-happen-and-why"),
        ChapterHeading(2, "--check-config & co", "--check-config--co"),
    ]
    assert '<h1 id="what-may-happen-and-why">' in made
    assert anchor("Prometheus, vmalert") == "prometheus-vmalert"


def test_links_between_chapters_lead_to_their_pages() -> None:
    made = html("[a](api.md) [b](api.md#events) [c](README.md) [d](#here) [e](https://example.org/x.md)")
    for link in (f"{BASE}/api", f"{BASE}/api#events", f"{BASE}/", "#here", "https://example.org/x.md"):
        assert f'href="{link}"' in made


def test_the_marks_of_tables_are_not_shown() -> None:
    assert html("<!-- options -->\n| a |\n|---|\n<!-- /options -->\n").startswith('<div class="scroll"')
