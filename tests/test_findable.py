"""What makes pages findable: weight in the search, the list for language models, the sitemap; words of two senses."""

from __future__ import annotations

import json
import re
from pathlib import Path

from conftest import Notebook

from llmnotes.site.notebook.glossary import read_glossary, with_labs
from llmnotes.site.pages.contents import read_contents
from llmnotes.site.pages.finishing import boost, part_index, tidy_text
from llmnotes.site.pages.writing import llms_txt


def test_labs_and_the_glossary_come_before_entries_and_reference() -> None:
    order = ["glossary.md", "labs/01_xor.md", "findings/one.md", "api/lab.md", "tags.md"]
    assert [boost(uri) for uri in order] == sorted(map(boost, order), reverse=True)
    assert len({boost(uri) for uri in order}) == len(order)


def test_the_list_follows_the_chapters(recorded: Notebook) -> None:
    recorded.lab("02_inside", chapter="Inside", needs="[hub]", title="Inside")
    recorded.lab("03_start", needs="[hub]", title="Another start")
    docs = recorded.root / "docs"
    contents = read_contents(recorded.project, docs, site_url="https://someone.example/notes/")
    listed = llms_txt(contents, "notes", "What it is.")
    assert listed.startswith("# notes\n\n> What it is.\n")
    titles = re.findall(r"- \[(\d\d [^\]]+)\]", listed)
    assert titles == ["01 A tiny lab", "03 Another start", "02 Inside"]
    assert "(https://someone.example/notes/labs/02_inside/): What is the answer?" in listed


def test_names_are_kept_on_one_line_in_text_alone() -> None:
    html = '<p title="GPT-2">GPT-2 and <code>GPT-2</code>, not X-GPT-2</p><pre>GPT-2</pre>'
    whole = '<span class="nb">GPT-2</span>'
    assert tidy_text(html) == html.replace(">GPT-2 and", f">{whole} and")
    assert tidy_text("<p>90 % <code>7 % 2</code></p>") == "<p>90% <code>7 % 2</code></p>"


def test_a_term_has_its_hover_at_its_first_use_in_running_text() -> None:
    word = '<abbr title="The slope.">gradient</abbr>'
    html = f"<h2>A {word}</h2><p><a href='x'>{word}s</a> {word}, {word}</p><pre>{word}</pre>"
    assert tidy_text(html) == (
        f"<h2>A gradient</h2><p><a href='x'>gradients</a> {word}, gradient</p><pre>gradient</pre>"
    )


def test_a_site_without_an_address_has_a_sitemap_all_the_same(recorded: Notebook) -> None:
    built = recorded.mkdocs("build", "--strict")
    assert built.returncode == 0, built.stdout + built.stderr
    sitemap = (recorded.root / "site" / "sitemap.xml").read_text()
    assert "<loc>labs/01_tiny/</loc>" in sitemap
    assert "01_tiny" in (recorded.root / "site" / "llms.txt").read_text()


def test_a_word_of_two_senses_is_explained_where_it_is_meant(tmp_path) -> None:
    path = tmp_path / "glossary.md"
    path.write_text(
        "# G\n\n### dictionary\nAlso: dictionaries\nOnly in: sae, superposition\n\nDirections.\n\n"
        "### key\nNot in: mlps\n\nIt is matched.\n\n### head\n\nIt looks.\n"
    )
    terms = read_glossary(path)
    assert terms["dictionaries"].meaning == "Directions."
    assert terms["Dictionaries"].is_meant("labs/19_sae.md")
    assert terms["dictionary"].is_meant("findings/superposition-two.md")
    assert not terms["dictionary"].is_meant("readiness.md")
    assert not terms["key"].is_meant("labs/08_mlps.md")
    assert terms["key"].is_meant("labs/04_attention.md")
    assert terms["head"].is_meant("labs/08_mlps.md")
    assert "Only in" not in with_labs(path.read_text(), [])


def test_numbers_stay_out_of_the_index(tmp_path: Path) -> None:
    folder = tmp_path / "search"
    folder.mkdir()
    text = "GPT-2, L2H3 and stories260K: 0.0071 of 1,234 in 2022 b94f51369ea350825b122c6ccd41baa8 end 12"
    docs = [{"location": "a/", "title": "A", "text": text}]
    (folder / "search_index.json").write_text(json.dumps({"config": {}, "docs": docs}), encoding="utf-8")
    part_index(tmp_path)
    (one,) = json.loads((folder / "documents.json").read_text(encoding="utf-8"))["docs"]
    assert one["text"].split() == ["GPT-2,", "L2H3", "and", "stories260K:", "of", "in", "end", "12"]
