"""A lab's page in the browser: the reader's prediction, cards of numbers and terms, the switch, progress, print."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
import yaml
from browsing import Quiet, Visit
from conftest import MKDOCS, ROOT, make_notebook

LAB = """\
from llmnotes.lab import ask, figure, in_words, note, predict, within

predict("A head looks back", 0.7, share="> 0.5")
predict("Two heads look back", 0.2, both="> 0.5")

# %% tags=["idea"]
def head(x):
    return x @ x.T  # (words, words)

# %%
# the question to the reader
ask(
    "What comes back?",
    choices={"one": "One answer", "both": "Both answers", "none": "Neither"},
    answer="both",
    because={"one": "A mean *seems* to.", "both": "{{ result('ask.share') }} came back.", "none": "It tempts."},
    figure="readouts",
    share="> 0.9",
)

# %%
import matplotlib.pyplot as plt

around = within(atol=0.01, because="a hundred draws")
around(share=0.9512345, both=0.25)
in_words(share="Both answers right")
print("Once upon a time there was a king who had three daughters, and each of them wanted to see the sea, "
      "so that he built them a ship of glass and silver and sent them out with the wind.")
print("1.1920928955078125e-07")
fig, ax = plt.subplots(figsize=(3, 2))
ax.plot([0, 1, 2], [0.25, 0.5, 0.75])
figure(fig, name="readouts", alt="A line that rises.", caption="It rises.")

# %% [markdown]
# ## After the figure
#
# Both in {{ result("ask.share", ".0%") }}.
"""
CURVE = """\
from llmnotes.lab import ask, figure, note, predict

# %% [markdown]
# ## A loss falls

# %%
predict("It halves", 0.6, half="> 1")
ask(
    "How does the loss fall?",
    curve={"x": ("step", 0, 8), "y": ("loss (nats)", 0, 4)},
    answer="loss",
    because="It falls *slowly* and ends at {{ result('curve.half') }} nats.",
    figure="falls",
    half="> 1",
)

# %%
import matplotlib.pyplot as plt
import numpy as np

note(half=2)
loss = np.array([[step, 4 - step / 4] for step in range(9)])
fig, ax = plt.subplots(figsize=(3, 2))
ax.plot(*loss.T)
ax.set(xlim=(0, 8), ylim=(0, 4))
figure(fig, name="falls", alt="A line that falls.", caption="It falls by 50 %.", data={"loss": loss})
"""
PROSE = r"""A *token* is here.
#
# $$\q{q_i} \cdot \k{k_j} \to \v{v_j}$$
#
# {{ drawing("one-head", light="scores") }}"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a notebook with one lab in the dress of ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LLMNOTES_CACHE", raising=False)
        made = make_notebook(tmp_path_factory.mktemp("dress") / "notebook")
        shutil.copytree(ROOT / "docs" / "assets", made.root / "docs" / "assets")
        styles = [line.strip(" -") for line in (ROOT / "mkdocs.yml").read_text().splitlines() if ".css" in line]
        settings = yaml.safe_load(MKDOCS) | {"extra_css": styles}
        settings["repo_url"] = "https://github.com/someone/notes"
        settings["theme"] |= {"features": ["toc.integrate"]}
        settings["nav"] += [{"Reference": ["glossary.md", "your-predictions.md"]}]
        (made.root / "mkdocs.yml").write_text(yaml.safe_dump(settings))
        (made.root / "docs" / "glossary.md").write_text("# Glossary\n\n### token\n\nA piece of text.\n")
        (made.root / "docs" / "index.md").write_text("# Home\n")
        (made.root / "docs" / "predictions.md").write_text("# Predictions\n\n{{ predictions() }}\n")
        shutil.copy(ROOT / "docs" / "your-predictions.md", made.root / "docs" / "your-predictions.md")
        page = made.root / "docs" / "your-predictions.md"
        page.write_text(
            page.read_text()
            .replace("01_xor", "01_ask")
            .replace("(predictions.md)", "(index.md)")
            .replace("(play/predict.md)", "(index.md)")
            .replace("(play/audit.md)", "(index.md)")
        )
        lab = made.lab(
            "01_ask", LAB, PROSE, answer="Both in {{ result('ask.share', '.0%') }} of the cases.", thumbnail="readouts"
        )
        curve = made.lab("02_curve", CURVE, thumbnail="falls", title="A curve")
        # in a process of its own: the browser's loop runs in this one
        done = made.llmnotes("run", lab.stem, curve.stem)
        assert done.returncode == 0, done.stdout + done.stderr
        target = tmp_path_factory.mktemp("built")
        done = made.mkdocs("build", "--strict", "-d", str(target))
        assert done.returncode == 0, done.stdout + done.stderr
    handler = functools.partial(Quiet, directory=str(target))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def lab(browser, tiny: str) -> Iterator:
    with Visit(browser, tiny, "labs/01_ask/") as visit:
        yield visit
        assert not visit.wrong


def test_nothing_that_answers_shows_before_the_answer(lab: Visit) -> None:
    page = lab.page
    for hidden in ("#figure-readouts", "#after-the-figure", "#our-record", ".because >> nth=0"):
        assert not page.locator(hidden).is_visible()
    assert (
        page.locator(".side .toc a[href='#after-the-figure']").count() == 0
        or not page.locator(".side .toc a[href='#after-the-figure']").is_visible()
    )
    assert "70%" not in page.locator("article").inner_text()
    asking = page.locator("details.code", has_text="the question and what we predict")
    assert asking.count() == 1
    assert not asking.is_visible(), "its code holds the answer"
    assert "for your prediction" in page.locator(".answer").inner_text()
    assert not page.locator(".answer .bound").first.is_visible()


def test_an_answer_is_marked_explained_announced_and_kept(lab: Visit) -> None:
    page = lab.page
    page.get_by_role("button", name="Lock it in").click()
    assert "Choose one" in page.locator(".verdict").inner_text()
    page.get_by_role("radio", name="One answer").check(force=True)
    page.locator("#sure").fill("70")
    page.get_by_role("button", name="Lock it in").click()
    verdict = page.locator(".verdict")
    assert page.evaluate("document.activeElement.className").startswith("verdict f")
    said = verdict.inner_text()
    assert "Not this one" in said
    assert "A mean seems to." in said
    assert "0.951 came back." in said
    assert "You were 70% sure" in said
    assert "You said: One answer" in page.locator("#figure-readouts").inner_text()
    assert page.locator("#our-record").is_visible()
    assert page.locator(".answer .bound").first.is_visible()
    page.reload()
    assert "Not this one" in page.locator(".verdict").inner_text()
    page.goto(lab.address + "your-predictions/")
    shown = page.locator("#your-predictions").inner_text()
    assert "You were right in 0 of 1" in shown
    assert "next to nothing" in shown
    assert page.locator(".calibration .interval").count() == 1


def test_just_show_me_and_an_empty_record_that_leads_somewhere(lab: Visit) -> None:
    page = lab.page
    page.get_by_role("button", name="Just show me").click()
    assert "What happened: Both answers." in page.locator(".verdict").inner_text()
    assert page.locator("#figure-readouts").is_visible()
    page.goto(lab.address + "your-predictions/")
    assert page.locator("#your-predictions a.md-button").get_attribute("href") == "../labs/01_ask/"


def test_our_record_is_sentences(lab: Visit) -> None:
    page = lab.page
    page.get_by_role("button", name="Just show me").click()
    page.locator("#our-record summary").click()
    rows = page.locator("#our-record tbody tr").all_inner_texts()
    assert "It came true: Both answers right was 0.9512; the claim needed more than 0.5." in rows[0]
    assert "✕ It did not come true: both was 0.25" in rows[1]
    assert "20%" in rows[1]


def test_a_number_opens_a_card_and_does_not_jump(lab: Visit) -> None:
    page = lab.page
    page.get_by_role("button", name="Just show me").click()
    number = page.locator("article p:not(.answer p) a.bound").last
    number.click()
    card = page.locator("#card")
    assert page.url.endswith("labs/01_ask/")
    for part in ("Both answers right", "0.9512", "± 0.01: a hundred draws", "01 A tiny lab"):
        assert part in card.inner_text()
    box, column = card.bounding_box(), page.locator("article h1").bounding_box()
    assert box["x"] > column["x"] + 584, "it stands in the margin"
    page.keyboard.press("Escape")
    assert card.count() == 0
    assert number.evaluate("(one) => one === document.activeElement")
    number.click()
    card.get_by_role("link", name="See the cell").click()
    assert page.url.endswith("#value-share")
    assert page.locator("#value-share").is_visible(), "its fold opens"


def test_code_is_folded_but_for_the_idea_and_the_switch_is_remembered(lab: Visit) -> None:
    page = lab.page
    page.get_by_role("button", name="Just show me").click()
    assert page.locator(".idea pre").is_visible()
    folds = page.locator("details.code")
    assert folds.evaluate_all("all => all.map((one) => one.open)") == [False, False, False]
    assert "Code, 9 lines\nthe question and what we predict" in folds.nth(1).inner_text()
    page.get_by_role("button", name="Code", exact=True).click()
    page.reload()
    assert folds.evaluate_all("all => all.every((one) => one.open)")


def test_outputs_are_set_for_reading(lab: Visit) -> None:
    page = lab.page
    page.get_by_role("button", name="Just show me").click()
    assert "Once upon a time" in page.locator(".lab-tale").inner_text()
    assert page.locator(".lab-tale").evaluate("(one) => one.scrollWidth <= one.clientWidth")
    assert "1.192e-07" in page.locator("article").inner_text()
    assert page.locator(".katex .q").evaluate("(one) => getComputedStyle(one).color") == "rgb(107, 63, 160)"
    assert page.locator("figure.machine svg.wide g.on").count() == 1


def test_a_term_opens_a_card(lab: Visit) -> None:
    page = lab.page
    page.locator("article abbr").first.focus()
    page.keyboard.press("Enter")
    assert "A piece of text." in page.locator("#card").inner_text()
    page.keyboard.press("Escape")
    assert page.locator("#card").count() == 0


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_nothing_is_cut_off(browser, tiny: str, width: int) -> None:
    with Visit(browser, tiny, "labs/01_ask/", width=width, scheme="dark") as visit:
        visit.page.get_by_role("button", name="Just show me").click()
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        shown = visit.page.locator("figure.machine svg:visible")
        assert shown.count() == 1
        assert ("narrow" in shown.get_attribute("class")) == (width < 1220)
        sizes = visit.page.evaluate(
            "[...document.querySelectorAll('figure.machine svg')].filter((one) => one.getBoundingClientRect().width)"
            ".flatMap((one) => [...one.querySelectorAll('text')].map((text) => parseFloat("
            "getComputedStyle(text).fontSize) * one.getBoundingClientRect().width / one.viewBox.baseVal.width))"
        )
        assert min(sizes) >= 11.5


def test_a_lab_read_to_its_end_is_ticked(lab: Visit) -> None:
    page = lab.page
    page.get_by_role("button", name="Just show me").click()
    assert page.locator(".side li.done").count() == 0
    page.keyboard.press("End")
    page.locator(".side li.done").first.wait_for()
    assert page.locator(".side .n").first.inner_text() == "1 of 2 done"


def test_without_a_script_everything_is_there(browser, tiny: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(tiny + "labs/01_ask/")
    assert page.locator("#figure-readouts").is_visible()
    assert page.locator(".because").first.is_visible()
    assert page.locator(".answer a.bound").is_visible()
    assert not page.locator(".switch").is_visible()
    assert page.locator("details.record").count() == 1
    context.close()


def test_printed_nothing_is_missing(lab: Visit) -> None:
    page = lab.page
    page.emulate_media(media="print")
    assert page.locator("#figure-readouts").is_visible()
    assert not page.locator(".md-header").is_visible()
    assert not page.locator(".bar").is_visible()


def test_the_lead_figure_waits_where_it_settles_the_question(lab: Visit) -> None:
    page = lab.page
    assert not page.locator(".lead").is_visible()
    assert "The answer and its picture wait for your prediction" in page.locator(".until").inner_text()
    page.get_by_role("button", name="Just show me").click()
    assert not page.locator(".until").is_visible()
    bar, lead = (page.locator(one).evaluate("(e) => e.getBoundingClientRect().y") for one in (".bar", ".lead"))
    assert bar < lead < page.locator("details.code").first.evaluate("(e) => e.getBoundingClientRect().y || 1e9")
    seen = page.locator(".lead .lab-drawing:visible svg").bounding_box()
    drawn = page.locator(".lead .lab-drawing:visible use").bounding_box()
    assert seen["height"] > 100
    assert drawn["width"] == pytest.approx(seen["width"], abs=2), "the figure is taken from further down"


def test_a_curve_is_drawn_with_mouse_and_keys_and_stands_in_the_figure(browser, tiny: str) -> None:
    with Visit(browser, tiny, "labs/02_curve/") as visit:
        page = visit.page
        first = page.locator("article .bar ~ *:visible").all_inner_texts()
        assert not any("Code," in one for one in first[:2]), "no code before the first heading"
        page.get_by_role("button", name="Lock it in").click()
        assert "Draw a line first." in page.locator(".verdict").inner_text()
        pad = page.locator("svg.pad")
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.15, box["y"] + box["height"] * 0.2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.5, steps=12)
        page.mouse.up()
        last = page.get_by_role("slider", name="loss (nats) at step 8")
        last.focus()
        page.keyboard.press("ArrowDown")
        assert page.locator("svg.pad .mine").get_attribute("d").count("L") >= 3
        page.get_by_role("button", name="Lock it in").click()
        assert page.evaluate("document.activeElement.className").startswith("verdict")
        assert "It falls slowly and ends at 2" in page.locator(".verdict").inner_text()
        assert page.locator("svg.pad .truth").get_attribute("d").count("L") == 8
        mine = page.locator("#figure-falls .lab-drawing:visible .yours")
        mine.wait_for(state="attached")
        inside, axes = mine.bounding_box(), page.locator("#figure-falls .lab-drawing:visible svg").bounding_box()
        assert axes["x"] < inside["x"] < inside["x"] + inside["width"] < axes["x"] + axes["width"]
        assert "by 50%." in page.locator("#figure-falls figcaption").inner_text()
        page.reload()
        assert page.locator("#figure-falls .yours").first.get_attribute("d").startswith("M")  # it was kept
        assert not visit.wrong


def test_setup_stands_at_the_end_of_a_lab(lab: Visit) -> None:
    page = lab.page
    page.goto(lab.address + "labs/02_curve/")
    page.get_by_role("button", name="Just show me").click()
    folds = page.locator("details.code > summary").all_inner_texts()
    assert "Set-up" in folds[-1]
    assert sum("Set-up" in one for one in folds) == 1


def test_a_mistake_is_reported_with_page_number_and_commit(lab: Visit) -> None:
    page = lab.page
    report = unquote(page.locator(".mistake").get_attribute("href"))
    assert report.startswith("https://github.com/someone/notes/issues/new?title=Mistake: A tiny lab")
    assert "Page: labs/01_ask/" in report
    page.get_by_role("button", name="Just show me").click()
    page.locator("a.bound", has_text="95%").last.click()
    wrong = unquote(page.get_by_role("link", name="Wrong?").get_attribute("href"))
    assert "Number: 95% (Both answers right, lab" in wrong
    assert page.get_by_role("link", name="Edit this page").get_attribute("href").endswith("labs/01_ask.py")


def test_our_record_waits_on_the_page_of_predictions(lab: Visit) -> None:
    page = lab.page
    page.goto(lab.address + "predictions/")
    fold = page.locator("details.record", has_text="01 A tiny lab")
    fold.locator("summary").click()
    assert not fold.locator("table").is_visible()
    assert "70%" not in fold.inner_text()
    assert fold.get_by_role("link", name="Make your own").get_attribute("href").endswith("labs/01_ask/#predict")
    page.emulate_media(media="print")  # on paper nobody can ask
    assert "70%" in fold.locator("table").inner_text()
    page.emulate_media(media="screen")
    fold.get_by_role("button", name="Show ours now").press("Enter")
    assert "70%" in fold.locator("table").inner_text()
    assert page.evaluate("document.activeElement.tagName") == "TABLE"  # the button is gone
    page.reload()  # one look is not for ever
    fold.locator("summary").click()
    assert not fold.locator("table").is_visible()
    page.goto(lab.address + "labs/01_ask/")
    page.get_by_role("radio", name="One answer").check(force=True)
    page.get_by_role("button", name="Lock it in").click()
    page.goto(lab.address + "predictions/")
    fold.locator("summary").click()
    assert fold.locator("table").is_visible()


def test_the_menu_of_a_narrow_window_is_worked_by_keyboard(lab: Visit) -> None:
    """And the links of a closed menu, which are out of sight, are no stops."""
    page = lab.page
    page.set_viewport_size({"width": 390, "height": 844})
    menu = page.locator(".md-header .menu")
    inside = page.locator(".side :focus")
    for key in ("Enter", "Space"):
        menu.press(key)
        inside.wait_for()
        assert menu.get_attribute("aria-expanded") == "true"
        page.keyboard.press("Escape")
        page.locator(".side").wait_for(state="hidden")
        assert page.evaluate("document.activeElement.classList.contains('menu')")
    page.keyboard.press("Tab")
    assert not inside.count()
