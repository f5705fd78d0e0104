"""Nothing that a lab, an entry or a page says can leave its block, load from elsewhere or run."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import markdown
import pytest
from conftest import HEADER, Notebook

from llmnotes.site.errors import NotebookError
from llmnotes.site.pages.assets import PageFields
from llmnotes.site.pages.code_links import tidy_code
from llmnotes.site.pages.contents import Place
from llmnotes.site.pages.finishing import check_page, render_maths, with_policy
from llmnotes.site.pages.templates import fenced, inline, printable, text
from llmnotes.site.pages.writing import bibtex

EXTENSIONS = ["abbr", "attr_list", "footnotes", "md_in_html", "tables"]
EXTENSIONS += [f"pymdownx.{name}" for name in ("details", "superfences", "arithmatex")]
NASTY = (
    "</figcaption></summary><script>window.P=1</script> a | b, a lone ` and *[x]: y, ![i](javascript:1) "
    '"q" {: onclick=1 }'
)
CODE = f"""\
import matplotlib.pyplot as plt
from llmnotes.lab import figure, in_words, note, predict

NASTY = {NASTY!r}
predict(NASTY, 0.8, answer="> 40")

# %%
print("````\\n\\n<script>window.P=2</script>\\n\\n# A heading\\n")
print("~~~~\\n```\\n</div></details>")
print("\\x1b[31mred\\x1b[0m \\x00 {{{{ result('x') }}}} *[answer]: hover\\n    indented\\n\\ttab")
note(answer=42)
note(share=0.25, atol=0.01, because=NASTY)
in_words(answer=NASTY)
fig, ax = plt.subplots(figsize=(4, 2))
ax.plot([0, 1, 2], [0.25, 0.5, 0.75])
figure(fig, name="line", alt=NASTY, caption=NASTY)
"""
ENTRY = """\
---
title: {title}
claim: {claim}
date: 2026-01-01
status: standing
confidence: likely
control: the same untrained
labs: [01_nasty]
reviewed: 2026-01-01
---

Because.
"""
HOME = '# Home\n\n{{ labs() }}\n\n{{ predictions() }}\n\n{{ entries("findings") }}\n'
PAGES = ["index.html", "labs/01_nasty/index.html", "findings/one/index.html", "findings/index.html"]
FENCES = ["`", "```", "a ````` b", "```\nx\n````", "~~~~", "</code></pre>", "\t\ttabs", "a\r\nb"]
TEXTS = (
    "# x|- x|1. x|> x|a *b* _c_ `d`|[a](b)|<b>|{: .x }|$a$|*[a]: b|~~~|!!! x|=== x|[^1]: x|[a]: b|&amp;|::: x|x {#id}"
)


class Seen(HTMLParser):
    """What of a page could run, and its anchors and headings."""

    def __init__(self, page: str):
        super().__init__(convert_charrefs=True)
        self.scripts: list[str] = []
        self.handlers: list[str] = []
        self.headings: list[str] = []
        self.ids: list[str] = []
        self.inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.inside = tag if tag in ("script", "h1", "h2") else ""
        for name, value in attributes:
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.handlers.append(f"<{tag} {name}={value}>")
            if name == "id":
                self.ids.append(value or "")

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.scripts.append(data)
        elif self.inside:
            self.headings.append(data)


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory, _recorded_once: Notebook) -> Path:
    """A built site of a notebook in which everything tries to leave its block."""
    from conftest import make_notebook

    made = make_notebook(tmp_path_factory.mktemp("nasty") / "notebook")
    title = json.dumps('What <s> does & "more" | `x')
    question = json.dumps("Is <img src=x onerror=alert(1)> {: onclick=x } | a `question?")
    made.write("01_nasty", CODE, **HEADER | {"title": title, "question": question, "tags": '["<b>tag</b>"]'})
    claim = json.dumps(NASTY + ' {{ result("nasty.answer") }}')
    (made.root / "docs" / "findings" / "one.md").write_text(ENTRY.format(title=json.dumps(NASTY), claim=claim))
    (made.root / "docs" / "index.md").write_text(HOME)

    built = made.mkdocs("build", "--strict")
    assert built.returncode == 0, built.stdout + built.stderr
    return made.root / "site"


@pytest.mark.parametrize("page", PAGES)
def test_nothing_leaves_its_block(nasty: Path, page: str) -> None:
    seen = Seen((nasty / page).read_text(encoding="utf-8"))
    assert not [script for script in seen.scripts if "window.P" in script]
    assert not seen.handlers
    assert "A heading" not in seen.headings
    assert len(seen.ids) == len(set(seen.ids))


def test_what_was_put_out_is_shown_as_it_is(nasty: Path) -> None:
    page = html.unescape(
        re.sub(r"<[^>]+>", "", (nasty / "labs" / "01_nasty" / "index.html").read_text(encoding="utf-8"))
    )
    for said in (
        "<script>window.P=2</script>",
        "# A heading",
        "</div></details>",
        "red  {{ result('x') }}",
        "<s> does &",
    ):
        assert said in page
    assert "\x1b" not in page
    assert "\x00" not in page


def test_feed_and_lists_for_machines_are_whole(nasty: Path) -> None:
    feed = ElementTree.parse(nasty / "feed.xml")
    assert "window.P=1" in "".join(feed.getroot().itertext())
    results = json.loads((nasty / "labs" / "01_nasty" / "results.json").read_text(encoding="utf-8"))
    assert results["values"][0]["value"] == 42


def test_pages_carry_a_policy_that_knows_their_scripts(nasty: Path) -> None:
    page = (nasty / "labs" / "01_nasty" / "index.html").read_text(encoding="utf-8")
    policy = html.unescape(re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1])
    assert "default-src 'self'" in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert policy in html.unescape(with_policy(page.replace(policy, "", 1)))
    assert page.index("Content-Security-Policy") < page.index("<script")


@pytest.mark.parametrize("written", FENCES)
def test_a_fence_holds(written: str) -> None:
    page = markdown.markdown(f"Before.\n\n{fenced(written, 'text', 'out')}\n\n## After\n", extensions=EXTENSIONS)
    assert page.count("<pre>") == 1
    assert "<h2>After</h2>" in page
    held = html.unescape(re.search(r"<code>(.*?)</code>", page, re.DOTALL)[1])
    assert held.strip("\n") == printable(written).expandtabs(4)


@pytest.mark.parametrize("written", [*TEXTS.split("|"), "a | b", "\\*"])
def test_plain_text_is_shown_as_it_is(written: str) -> None:
    page = markdown.markdown(f"{text(written)}\n", extensions=EXTENSIONS)
    assert html.unescape(page) == f"<p>{written}</p>"
    row = markdown.markdown(f"| a | b |\n| --- | --- |\n| {text(written)} | z |\n", extensions=EXTENSIONS)
    assert [html.unescape(found) for found in re.findall(r"<td>(.*?)</td>", row)] == [written, "z"]


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("a *b* and `c < d`", "<p>a <em>b</em> and <code>c &lt; d</code></p>"),
        ("# no heading", "<p># no heading</p>"),
        ("a <b>c</b> & d", "<p>a &lt;b&gt;c&lt;/b&gt; &amp; d</p>"),
        ("*a*{: onclick=b }", "<p><em>a</em>{: onclick=b }</p>"),
        ("[a](JavaScript:b)", '<p><a href="b">a</a></p>'),
        ("a lone ` here", "<p>a lone ` here</p>"),
        ("[a]: javascript:b", "<p>[a]: javascript:b</p>"),
    ],
)
def test_a_line_of_markdown_keeps_its_marks_and_no_more(written: str, becomes: str) -> None:
    page = markdown.markdown(inline(written), extensions=EXTENSIONS)
    assert re.sub("&#([0-9]+);", lambda found: chr(int(found[1])), page) == becomes


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ('<script src="https://elsewhere.example/x.js"></script>', "loads https://elsewhere.example"),
        ('<img src="//elsewhere.example/x.png">', "loads //elsewhere.example"),
        ('<iframe src="https://elsewhere.example"></iframe>', "<iframe> loads"),
        ('<link rel="stylesheet" href="http://elsewhere.example/x.css">', "<link> loads"),
        ('<a href="javascript:alert(1)">x</a>', "a link holds a script"),
        ('<a href=" java&#115;cript:alert(1)">x</a>', "a link holds a script"),
        ('<h2 id="value-x">Value x</h2><tr id="value-x">', "#value-x is there twice"),
    ],
)
def test_what_a_page_may_not_hold_fails_the_build(page: str, said: str) -> None:
    with pytest.raises(NotebookError, match=re.escape(said)):
        check_page(page, "page.md")
    check_page('<a href="https://elsewhere.example">x</a><svg><g id="a"/><g id="a"/></svg><img src="x.svg">', "page.md")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"modules": "assets/x.js"}, "modules is 'assets/x.js'; expected a list"),
        ({"modules": ["https://elsewhere.example/x.js"]}, "expected a file below docs/"),
        ({"styles": ["../mkdocs.yml"]}, "expected a file below docs/"),
        ({"titel": "x"}, "unknown field 'titel'; did you mean 'title'?"),
        ({"title": ["x"]}, "title is ['x']; expected a short text"),
        ({"template": "other.html"}, "template is 'other.html'; expected home.html"),
    ],
)
def test_front_matter_is_checked(notebook: Notebook, fields: dict, said: str) -> None:
    with pytest.raises(NotebookError, match=re.escape(said)):
        PageFields.check(fields, "index.md", {"docs": notebook.root / "docs"})
    PageFields.check({"title": "x", "hide": ["toc"]}, "index.md", {"docs": notebook.root / "docs"})


def test_a_bad_formula_is_named_in_one_line() -> None:
    with pytest.raises(NotebookError) as caught:
        render_maths(r'<span class="arithmatex">\(\frac{1\)</span>', "page.md")
    assert len(str(caught.value)) < 300
    assert "is not understood: Unexpected end of input" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_of_other_things_lead_nowhere() -> None:
    block = '<div class="lab-code highlight"><pre><code>{}</code></pre></div>'
    names = {"figure": "llmnotes.lab.figure", "plots.save": "llmnotes.lab.plots.save"}
    dot, equals = '<span class="o">.</span>', '<span class="o">=</span>'
    other = block.format(f'<span class="n">plt</span>{dot}<span class="n">figure</span>')
    argument = block.format(f'<span class="n">figure</span>{equals}<span class="s2">"x"</span>')
    assert "autoref" not in tidy_code(other, names) + tidy_code(argument, names)
    ours = block.format(f'<span class="n">figure</span>, <span class="n">plots</span>{dot}<span class="n">save</span>')
    assert re.findall('identifier="([^"]+)"', tidy_code(ours, names)) == [*names.values()]


def test_a_reference_holds_braces(recorded: Notebook) -> None:
    from test_entries import TODAY, write

    from llmnotes.site.notebook.entries import read_entries

    write(recorded.root / "docs", title="'A } brace, 5% & $'", labs="[01_tiny]")
    (entry,) = read_entries(recorded.root / "docs", {"01_tiny"}, TODAY)
    assert r"title = {{A \} brace, 5\% \& \$}}" in bibtex(entry, "")


def test_a_result_stands_in_a_formula(recorded: Notebook) -> None:
    (recorded.root / "docs" / "index.md").write_text(
        '# Home\n\n$p = {{ result("tiny.share", ".0%") }}, W_{{OV}}$ and\n'
    )
    built = recorded.mkdocs("build", "--strict")
    assert built.returncode == 0, built.stdout + built.stderr
    home = (recorded.root / "site" / "index.html").read_text(encoding="utf-8")
    assert re.search(r'<annotation encoding="application/x-tex">p = 25\\%, W_\{\{OV\}\}</annotation>', home)


def test_addresses_between_pages() -> None:
    home, lab = Place("index.md"), Place("labs/01_xor.md")
    assert home.address("labs/01_xor.md#value-a") == "labs/01_xor/#value-a"
    assert lab.address("index.md") == "../../"
    assert lab.address("labs/index.md") == "../"
    assert lab.address("assets/x.js") == "../../assets/x.js"
    assert lab.link("findings/one.md#a") == "../findings/one.md#a"
    assert Place("labs/01_xor.md", directory_urls=False).address("labs/02_tokens.md") == "02_tokens.html"
    assert Place("labs/01_xor.md", directory_urls=False).address("index.md") == "../index.html"
