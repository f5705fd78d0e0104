"""The bench in a real browser, from a server's folder and from a folder without a server, by mouse and by keyboard."""

from __future__ import annotations

import functools
import gzip
import http.server
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench_node import ASSETS, CHECKPOINTS, NODE, needs_node
from browsing import Quiet, Visit, accessible, sound
from conftest import ROOT, make_notebook

from llmnotes.site.pages.assets import as_script

PRESETS = dict(re.findall(r'^  (\w+): \{ model: "\w+", from: "(\w+)"', (ASSETS / "mount.js").read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small notebook with a page for each preset, built for a server and for a folder."""
    made = make_notebook(tmp_path_factory.mktemp("bench") / "notebook")
    shutil.copytree(ASSETS.parent, made.root / "docs" / "assets")
    for preset in PRESETS:
        if preset == "home":
            bench = "{{ bench() }}"
        else:
            bench = f'<div class="bench" data-bench="{preset}"><p>Fallback.</p></div>'
        page = f"---\nhide: [toc]\n---\n\n# {preset}\n\n{bench}\n"
        (made.root / "docs" / f"{preset}.md").write_text(page)
    yours = "---\nmodules: [assets/your-predictions.js]\n---\n\n# yours\n\n"
    yours += '<div id="your-predictions" data-first="01_a"></div>\n'
    (made.root / "docs" / "yours.md").write_text(yours)
    settings = made.root / "mkdocs.yml"
    styles = re.search(r"extra_css:\n(?:  - .*\n)+", (ROOT / "mkdocs.yml").read_text())[0]
    text = styles + "extra: {generator: false}\n" + re.sub("nav: .*\n", "", settings.read_text())
    schemes = (
        '{media: "(prefers-color-scheme: light)", scheme: default}, '
        '{media: "(prefers-color-scheme: dark)", scheme: slate}'
    )
    settings.write_text(text.replace("font: false", f"font: false, palette: [{schemes}]"))
    found = {}
    for kind in ("served", "folder"):
        if kind == "folder":
            settings.write_text(settings.read_text().replace("search]", "search, offline]"))
        found[kind] = made.root.parent / "host" / kind
        done = made.mkdocs("build", "-q", "-d", str(found[kind]))
        assert done.returncode == 0, done.stdout + done.stderr
    return found


@pytest.fixture(scope="module")
def served(sites: dict[str, Path]) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(sites["served"].parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/served/"
        server.shutdown()


@pytest.fixture(scope="module")
def folder(sites: dict[str, Path]) -> str:
    return f"{sites['folder'].as_uri()}/"


def test_the_audits_answers_cannot_be_read_by_chance() -> None:
    key = (CHECKPOINTS / "world" / "audit" / "key.json").read_text()
    assert not [word for word in ("nothing", "changed", "silenced", "Karl", "agrees") if word in key]


@needs_node
def test_the_script_for_a_folder_is_one(tmp_path: Path) -> None:
    """Plain JavaScript, whatever names its modules share."""
    script = as_script(ASSETS / "folder.js")
    path = tmp_path / "folder.js"
    path.write_text(script)
    done = subprocess.run([NODE, "--check", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def with_imports(name: str) -> set[str]:
    """A module and all that it imports."""
    source = (ASSETS / name).read_text()
    return {name}.union(*(with_imports(one) for one in re.findall(r'from "\./([\w.]+)"', source)))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_script_is_small(preset: str) -> None:
    wanted = with_imports("main.js") | with_imports("worker.js") | with_imports(f"{PRESETS[preset]}.js")
    assert sum(len(gzip.compress((ASSETS / name).read_bytes())) for name in wanted) < 60_000


@pytest.mark.parametrize("where", ["served", "folder"])
def test_a_head_is_switched_off_on_home(browser, where: str, request: pytest.FixtureRequest) -> None:
    address = request.getfixturevalue(where)
    with Visit(browser, address, "home/" if where == "served" else "home.html") as visit:
        page = visit.page
        say = page.locator(".bench-say")
        page.get_by_text("✕ Wrong verb.").wait_for(timeout=10_000)  # once, on arrival, and before the engine is there
        page.get_by_role("button", name="Layer 3, head 3").click()
        page.get_by_text("✓ Right verb.").wait_for()
        assert "agrees with cats, not with dog" in say.inner_text()
        page.get_by_role("button", name="Layer 0, head 0").click()
        page.get_by_text("L0H0 is off.").wait_for()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")
        page.get_by_text("L0H0 and L1H1 are off.").wait_for()
        assert page.url.endswith("#bench-home?off=L0H0+L1H1")
        page.get_by_role("button", name="Undo: Head L0H0 off").click()
        page.get_by_text("L1H1 is off.").wait_for()
        page.get_by_role("button", name="Control: Head L1H1 off").click()
        page.get_by_role("button", name="Undo: Head L1H1 off").wait_for(state="detached")
        assert page.locator(".bench-changes li").count() == 1
        page.reload()
        page.locator(".bench-changes li").wait_for()  # the address kept it
        if where == "served":
            sound_at_all_widths(visit)
        assert not ours(visit)


# Every element of a bench: what it is, what it says, and where it stands
STANDS = """() => [...document.querySelectorAll(".bench *")].filter(one => one.tagName !== "TEMPLATE").map(one => {
  const box = one.getBoundingClientRect();
  const names = [...one.attributes].filter(a => !["style", "class"].includes(a.name)).map(a => `${a.name}=${a.value}`);
  const said = [...one.childNodes].filter(node => node.nodeType === 3).map(node => node.data).join("").trim();
  return [[one.tagName, [...one.classList].sort().join(" "), said, names.sort().join(" ")].join(" "),
          [box.x, box.y + scrollY, box.width, box.height]];
})"""


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("off", ["", "L3H3"])
def test_the_engine_takes_over_without_a_jump(browser, served: str, width: int, off: str) -> None:
    with Visit(browser, served, "", width) as visit:
        page = visit.page
        page.emulate_media(reduced_motion="no-preference" if off else "reduce")  # without motion nothing is shown off
        page.goto(f"{served}home/")
        page.get_by_text("✕ Wrong verb." if off else "✓ Right verb.").first.wait_for()
        page.wait_for_timeout(2500)
        before = page.evaluate(STANDS)
        assert not [url for url in visit.loaded() if "models/" in url or "bench/worker" in url or "play.js" in url]
        page.locator(".bench h3").first.hover()
        page.locator(".bench:not(.bench-still)").wait_for(timeout=30_000)
        page.wait_for_timeout(800)
        after = page.evaluate(STANDS)
        assert [one for one, _ in after] == [one for one, _ in before]
        for (name, old), (_, new) in zip(before, after, strict=True):
            assert old == pytest.approx(new, abs=1), name
        assert not visit.wrong


def test_what_is_pressed_before_the_engine_is_there_counts(browser, served: str) -> None:
    with Visit(browser, served, "home/") as visit:
        page = visit.page
        page.get_by_role("button", name="Layer 0, head 0").focus()
        page.keyboard.press("Enter")
        page.get_by_text(re.compile("L0H0( and L3H3)? (is|are) off|Without L3H3 and L0H0")).wait_for()
        assert page.evaluate("document.activeElement.ariaLabel") == "Layer 0, head 0"
        page.goto(f"{served}home/")
        page.get_by_role("button", name="Layer 1, head 1").hover()
        page.mouse.down()
        page.locator(".bench:not(.bench-still)").wait_for()
        page.mouse.up()  # what was pressed on the still bench is let go on the live one
        page.get_by_role("button", name="Layer 1, head 1", pressed=False).wait_for()
        assert not visit.wrong


def test_world_word_by_word(browser, served: str) -> None:
    with Visit(browser, served, "world/#bench-world?text=the+cats+near+the+dog&off=L3H3%215-2&at=5&head=L3H3") as visit:
        page = visit.page
        page.get_by_text("✕ Wrong verb.").wait_for()
        page.get_by_role("button", name="Let L3H3 look at cats again").click()
        page.get_by_text("✓ Right verb.").wait_for()
        page.get_by_role("button", name="near, true").or_(page.get_by_role("button", name="Add near")).first.click()
        page.get_by_text("Only the can come here").wait_for()
        page.get_by_label("Add a word").fill("the bird is")
        page.keyboard.press("Enter")
        page.get_by_text("“is” cannot stand after").wait_for()
        assert page.locator(".bench-sentence").inner_text().startswith("the cats near the dog near")
        page.get_by_label("Add a word").fill("the bird wug")
        page.keyboard.press("Enter")
        page.get_by_text("no word “wug”").wait_for()
        assert "wug" not in page.url  # what is refused is not kept
        page.get_by_label("Add a word").fill("")
        page.keyboard.press("Enter")
        page.get_by_text("Type a word").wait_for()
        page.get_by_label("Add a word").fill("Anna lives in")  # no word of it can go on here: a sentence of its own
        page.keyboard.press("Enter")
        page.locator(".bench-sentence", has_text=re.compile("^Anna lives in")).wait_for()
        page.get_by_label("Choose a sentence").select_option(label="a fact: Karl likes")
        page.get_by_text("In this world the answer is").wait_for()
        page.get_by_role("button", name="Layer 0, MLP").click()
        page.get_by_role("button", name="Other kind: MLP 0 off").click()
        page.get_by_text("MLP 0 at its average").first.wait_for()
        assert "off=M0%7E" in page.url
        sound_at_all_widths(visit)


@pytest.mark.parametrize(
    "state",
    [
        "world?text=the+wug",
        "world?text=%E0%A4%A&at=1",
        "world?text=the+cats&at=-3",
        "home?off=L9H9",
        "heads?text=the+cats&head=L9H9",
        "swap?a=the+cats",
        "swap?a=the+cats+near+the+dog&b=the+cat+near+the+dog&cell=9.9",
        "time?step=abc",
        "steer?dose=x&layer=q",
        "features?n=2.5",
        "write?t=x&ids=1.99999",
        "audit?case=99",
        "predict?text=the+wug&p=999",
    ],
)
def test_an_address_that_is_made_up_is_told_of(browser, served: str, state: str) -> None:
    """It gets one plain sentence, and a bench that works."""
    preset = state.split("?")[0]
    with Visit(browser, served, f"{preset}/#bench-{state}") as visit:
        page = visit.page
        begin(page)
        told = page.get_by_text(re.compile("^This address asks for|^The text of this address|^World has no head"))
        told.wait_for()
        assert not re.search("undefined|NaN|cannot read", page.locator(".bench").inner_text(), re.IGNORECASE)
        page.locator(".bench-say", has_text=re.compile(r"\w")).wait_for()
        assert not visit.wrong


@pytest.mark.parametrize("preset", ["world", "heads", "predict", "write"])
def test_the_focus_stays_in_the_bench(browser, served: str, preset: str) -> None:
    """Whatever is pressed, and where the button goes away; words that can come next are one stop."""
    with Visit(browser, served, f"{preset}/") as visit:
        page = visit.page
        begin(page)
        offers = page.locator(".bench-tokens button" if preset == "write" else ".bench-offers button")
        offers.first.focus()
        for _ in range(3):
            page.keyboard.press("Enter")
            page.wait_for_timeout(400)
            assert page.evaluate("Boolean(document.activeElement.closest('.bench'))")
        if preset != "write":
            assert page.locator(".bench-offers [tabindex='0']").count() == 1
        for name in ("Back to the opening", "Take one back", "Remove the last word"):
            button = page.get_by_role("button", name=name)
            if button.count():
                button.press("Enter")
                page.wait_for_timeout(300)
                assert page.evaluate("document.activeElement.textContent") == name


def ours(visit: Visit) -> list[str]:
    """What went wrong, without the theme's own call for a sitemap, which a folder has for nobody."""
    if not visit.address.startswith("file:"):
        return visit.wrong
    return [one for one in visit.wrong if "sitemap.xml" not in one and "net::ERR_FAILED" not in one]


def sound_at_all_widths(visit: Visit) -> None:
    """What is on the screen after use is sound on a phone in the dark and on a desk in the light."""
    for width, scheme in ((390, "dark"), (1440, "light")):
        visit.look(width, scheme)
        theme = "slate" if scheme == "dark" else "default"  # this small notebook has no switch that would do it
        visit.page.evaluate("name => document.body.setAttribute('data-md-color-scheme', name)", theme)
        visit.scroll_through()
        sound(visit, width, scheme)
        accessible(visit)


def begin(page) -> None:
    """Load a model that waits to be asked for."""
    button = page.locator(".bench-loading button")
    if button.count():
        button.click()
    if page.locator(".bench-still").count():
        page.locator(".bench").dispatch_event("pointerenter")
    page.locator(".bench-on:not(.bench-still)").wait_for(timeout=30_000)


def test_swap(browser, served: str) -> None:
    with Visit(browser, served, "swap/") as visit:
        page = visit.page
        page.get_by_role("button", name="cat, before layer 2").click()
        page.get_by_text("The answer moves.").wait_for()
        page.get_by_role("button", name="Control: a random vector as long").click()
        page.get_by_text("The answer stays.").or_(page.get_by_text("The answer hardly moves.")).wait_for()
        page.get_by_role("button", name="Show the whole map").click()
        page.get_by_text("No other word than the changed one").wait_for()
        assert page.locator(".bench-grid button").all_inner_texts() == 8 * ["0"] + 4 * ["100"] + 12 * ["0"]
        page.get_by_role("textbox", name="Second sentence").fill("the cat near dogs")
        page.keyboard.press("Enter")
        page.get_by_text("The sentences have 5 and 4 words").wait_for()
        page.get_by_label("A pair of sentences").select_option(index=3)
        page.get_by_text("The first sentence leads to").wait_for()
        sound_at_all_widths(visit)


def test_time_machine(browser, served: str) -> None:
    with Visit(browser, served, "time/") as visit:
        page = visit.page
        begin(page)
        page.get_by_text("Before training.").wait_for()
        page.get_by_label("Moment of training").fill("9")
        page.get_by_text("✓ Right verb.").wait_for()
        page.get_by_role("button", name="verb agrees, no noun between: earlier").click()
        page.keyboard.press("Enter")  # the focus stays with the rule
        assert page.locator(".bench-order li").first.inner_text().startswith("verb agrees, no noun")
        page.get_by_role("button", name="See when World learned them").click()
        page.get_by_text("pairs in the right order").wait_for(timeout=60_000)
        assert page.locator(".bench-learned").count() == 5
        sound_at_all_widths(visit)


def test_steering_dial(browser, served: str) -> None:
    with Visit(browser, served, "steer/") as visit:
        page = visit.page
        page.get_by_text("Nothing is added.").wait_for(timeout=30_000)
        page.get_by_label("Dose").fill("2")
        page.get_by_text("Nearer to the ideal.").wait_for()
        page.evaluate("Math.random = () => 0.123456")  # or another random vector each time
        page.get_by_role("button", name="Control: a random vector as long").click()
        page.get_by_text("a random vector of the same length").wait_for()
        page.get_by_text("About as far from the ideal.").wait_for()
        page.get_by_label("Dose").fill("6")
        page.get_by_text("Further from the ideal.").wait_for()
        page.get_by_role("button", name="Dose 0").click()
        page.get_by_text("Nothing is added.").wait_for()
        sound_at_all_widths(visit)


def test_fairytale_writes(browser, served: str) -> None:
    with Visit(browser, served, "write/") as visit:
        page = visit.page
        begin(page)
        page.locator(".bench-tokens button").first.wait_for()
        assert page.locator(".bench-tokens button").count() == 5
        likeliest = page.locator(".bench-token").first.inner_text().replace("␣", " ")
        page.locator(".bench-tokens button").first.click()
        page.locator(".bench-tale b", has_text=likeliest.strip()).wait_for()
        page.get_by_role("button", name="Write 40 more").click()
        page.get_by_text("a second, in this page").wait_for(timeout=30_000)
        tale = page.locator(".bench-tale").inner_text()
        assert len(tale.split()) > 15
        page.reload()
        begin(page)
        page.locator(".bench-tale b", has_text=likeliest.strip()).wait_for()
        assert page.locator(".bench-tale").inner_text() == tale  # the address kept it
        page.get_by_role("slider", name="temperature").fill("0")
        page.get_by_text("One token is left.").wait_for()
        sound_at_all_widths(visit)


@pytest.mark.parametrize("where", ["served", "folder"])
def test_fairytale_puts_an_adapter_on(browser, where: str, request: pytest.FixtureRequest) -> None:
    address = request.getfixturevalue(where)
    with Visit(browser, address, "write/" if where == "served" else "write.html") as visit:
        page = visit.page
        begin(page)
        offers = page.locator(".bench-tokens")
        offers.locator("button").first.wait_for()
        assert not [url for url in visit.loaded() if "adapters/" in url]  # it comes when it is asked for
        plain = offers.inner_text()
        page.get_by_label("It tells tales").select_option("by-the-hero")
        page.wait_for_function("plain => document.querySelector('.bench-tokens').innerText !== plain", arg=plain)
        changed = offers.inner_text()
        assert "telling=by-the-hero" in page.url
        page.reload()
        begin(page)
        page.wait_for_function("it => document.querySelector('.bench-tokens')?.innerText === it", arg=changed)
        page.get_by_label("It tells tales").select_option("")
        page.wait_for_function("plain => document.querySelector('.bench-tokens').innerText === plain", arg=plain)
        if where == "served":
            sound_at_all_widths(visit)


def test_predict_on_your_own_sentence(browser, served: str) -> None:
    with Visit(browser, served, "predict/") as visit:
        page = visit.page
        page.get_by_label("How likely is it?").fill("20")
        page.get_by_role("button", name="Run it").click()
        page.get_by_text("It did not come true.").wait_for()
        page.get_by_label("The part to switch off").select_option("L0H0")
        page.get_by_role("button", name="Run it").click()
        page.get_by_text("It came true.").wait_for()
        page.reload()
        page.get_by_text("2 predictions here, Brier score 0.340").wait_for()  # ((0.2 - 0)² + (0.2 - 1)²) / 2
        assert page.get_by_label("The part to switch off").input_value() == "L0H0"  # the address kept it
        sound_at_all_widths(visit)
        assert page.url.endswith("#bench-predict?text=the+cats+near+the+dog&part=L0H0&claim=stays+right&p=20")
        page.goto(f"{served}yours/")
        page.get_by_text("your Brier score is 0.340").wait_for()
        assert page.get_by_role("link", name="Predict on your own sentence").count() == 2
        assert not visit.wrong


@pytest.mark.parametrize("where", ["served", "folder"])
def test_blind_audit(browser, where: str, request: pytest.FixtureRequest) -> None:
    address = request.getfixturevalue(where)
    with Visit(browser, address, "audit/" if where == "served" else "audit.html") as visit:
        page = visit.page
        page.get_by_text("11 of 12 looks left").wait_for()
        assert not [one.url for one in visit.finished if "key" in one.url]  # the answers come when they are asked for
        page.get_by_label("Choose a sentence").select_option(label="a fact: Karl likes")
        page.get_by_text("10 of 12 looks left").wait_for()
        page.get_by_role("button", name="Layer 0, head 0").click()
        page.get_by_text("9 of 12 looks left").wait_for()
        assert re.search(r"#bench-audit\?case=\d&text=Karl\+likes&off=L0H0$", page.url)
        page.get_by_role("button", name="Layer 0, head 0").click()  # looked at before
        page.locator(".bench-say", has_text="This World says").wait_for()
        page.get_by_role("button", name="Layer 0, head 0", pressed=True).wait_for()
        assert page.get_by_text("9 of 12 looks left").count()
        assert page.get_by_role("button", name="Answer").is_disabled()
        page.get_by_role("radio", name="nothing was changed").check()
        page.get_by_label("How sure are you?").fill("100")
        page.get_by_role("button", name="Answer").press("Enter")
        page.get_by_text("100% sure, after 3 looks").wait_for()
        assert page.get_by_text(re.compile("^[01] of 1 right, Brier score [01].000")).count() == 1
        if where == "served":
            sound_at_all_widths(visit)
        assert page.evaluate("document.activeElement.textContent") == "Next case"
        page.keyboard.press("Enter")
        page.get_by_text("11 of 12 looks left").wait_for()
        assert not ours(visit)


def test_feature_browser(browser, served: str) -> None:
    with Visit(browser, served, "features/") as visit:
        page = visit.page
        page.locator(".bench-places li").first.wait_for()
        assert page.locator(".bench-places li").count() == 6
        assert page.locator(".bench-kinds input").count() == 4
        page.locator(".bench-kinds input").first.check()
        page.get_by_role("button", name="See the answer").click()
        page.get_by_text("The best of all labels is").wait_for()
        page.get_by_text("of 1 right with a trained dictionary").wait_for()
        page.get_by_role("button", name="Next feature").click()
        page.get_by_text("Feature 2 of 16").wait_for()
        page.get_by_label("Which dictionary").select_option("random")
        page.get_by_text("Feature 1 of 16").wait_for()
        assert page.url.endswith("#bench-features?of=random&n=1")
        page.get_by_label("Choose a sentence").select_option(label="a fact: Karl likes")
        page.locator(".bench-own span", has_text="Karl").wait_for()
        sound_at_all_widths(visit)
