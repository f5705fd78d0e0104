"""What the attention explorer is given: weights that come back as they were, and nothing that is no attention."""

from __future__ import annotations

import base64
import json
import re
from html import unescape

import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("Agg")

from llmnotes.lab import figures as lab
from llmnotes.lab.explore import LIMIT, attention

ALT = "Heads look at earlier tokens."


@pytest.fixture(autouse=True)
def plain_script(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LLMNOTES_RUN", raising=False)
    monkeypatch.setattr(lab, "_figures", set())


def patterns(layers: int, heads: int, n: int, seed: int = 0) -> torch.Tensor:
    """Attention of random scores: (layer, head, query, key)."""
    scores = 3 * torch.randn(layers, heads, n, n, generator=torch.Generator().manual_seed(seed))
    return scores.masked_fill(torch.ones(n, n).triu(1).bool(), -torch.inf).softmax(-1)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """What a run of ours would get: the figure's arrays, and the element's data."""
    said = []
    monkeypatch.setenv("LLMNOTES_RUN", str(tmp_path))
    monkeypatch.setattr("IPython.display.publish_display_data", said.append)

    def show(tokens, values, **options) -> tuple[dict, np.ndarray, dict, str]:
        said.clear()
        attention(tokens, values, name="looks", alt=ALT, **options)
        figure, element = said
        html = element["text/markdown"]
        data = {key: unescape(value) for key, value in re.findall(r'data-(\w+)="([^"]*)"', html)}
        entry = figure["application/vnd.llmnotes.figure+json"]
        return data, np.load(tmp_path / "figures" / "looks.npz")["patterns"], entry, html

    return show


def unpacked(data: dict) -> np.ndarray:
    """Whole per cents as the script reads them: (head, query, key), the mean of all heads last."""
    n = len(json.loads(data["tokens"]))
    lower = np.frombuffer(base64.b64decode(data["weights"]), np.uint8).reshape(-1, n * (n + 1) // 2)
    whole = np.zeros((len(lower), n, n))
    whole[:, *np.tril_indices(n)] = lower
    return whole


def test_the_weights_come_back_as_whole_per_cents(published) -> None:
    values = patterns(2, 3, 7)
    data, recorded, _, _ = published(list("abcdefg"), values)
    np.testing.assert_allclose(recorded, values.flatten(0, 1).numpy(), rtol=1e-6)
    np.testing.assert_array_equal(unpacked(data)[:-1], np.rint(100 * recorded))
    np.testing.assert_array_equal(unpacked(data)[-1], np.rint(100 * recorded.mean(0)))
    assert data["heads"] == "0.0 0.1 0.2 1.0 1.1 1.2"
    assert data["figure"] == "looks"


def test_thirty_heads_on_twenty_tokens_are_small(published) -> None:
    html = published([f" word{i}" for i in range(20)], patterns(5, 6, 20))[3]
    assert len(html) < 10_000


def test_tokens_survive_whatever_is_in_them(published) -> None:
    tokens = ["_a_", "*b*", "{{ x }}", '<b>"', "`q`", "\n", " [k](l)", "$x$", "\\", "é", "&amp;", "", "'"]
    data, _, _, html = published(tokens, patterns(1, 1, len(tokens)))
    assert json.loads(data["tokens"]) == tokens
    text = html.split('data-tokens="')[1].split('"')[0]
    assert not re.search(r"[{}*_`$\[\]\\<]", text), "nothing for Markdown or the pages' calls"


def test_heads_can_be_chosen(published) -> None:
    values = patterns(3, 4, 5)
    data, recorded, entry, _ = published(list("abcde"), values, heads=[(2, 1), (0, 3)], caption="Two heads.")
    assert data["heads"] == "0.3 2.1"
    np.testing.assert_allclose(recorded, torch.stack([values[0, 3], values[2, 1]]).numpy(), rtol=1e-6)
    assert entry["caption"] == "Two heads."


def test_of_many_heads_the_figure_shows_some_and_says_so(published) -> None:
    data, recorded, entry, _ = published(list("abcdef"), patterns(4, 3, 6), caption="Twelve heads.")
    assert entry["caption"] == (
        "Twelve heads. The figure shows the 8 of 12 heads that look most sharply past the first token."
    )
    assert len(recorded) == 12
    assert len(data["heads"].split()) == 12


def test_it_starts_where_attention_is_sharpest_or_where_told(published) -> None:
    values = torch.zeros(2, 2, 4, 4)
    values[..., 0] = 1  # all look at the first token
    values[1, 0, 3] = torch.tensor([0.1, 0.0, 0.9, 0.0])
    assert published(list("abcd"), values)[0]["start"] == "2 3"
    lab._figures.clear()
    assert published(list("abcd"), values, start=(0, 1, 2))[0]["start"] == "1 2"


def test_one_head_and_one_token(published) -> None:
    data, recorded, _, _ = published(["a"], torch.ones(1, 1, 1, 1))
    assert recorded.shape == (1, 1, 1)
    assert unpacked(data).tolist() == [[[100]], [[100]]]


def test_a_script_makes_the_figure_and_says_one_line_more(capsys: pytest.CaptureFixture) -> None:
    attention("abc", patterns(1, 2, 3).numpy(), name="looks", alt=ALT)
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == ["figure looks", "attention looks"]
    assert said[1] == "attention looks: 2 heads, 3 tokens, 24 bytes"


@pytest.mark.parametrize(
    ("tokens", "values", "options", "error", "said"),
    [
        (
            "abc",
            patterns(1, 2, 3)[0],
            {},
            ValueError,
            "shape (2, 3, 3); expected (layer, head, query, key)",
        ),
        ("abcd", patterns(1, 2, 3), {}, ValueError, "shape (1, 2, 3, 3) for 4 tokens; expected (layer, head, 4, 4)"),
        ([1, 2], patterns(1, 1, 2), {}, TypeError, "tokens[0] is 1 (int); expected text: decode ids first"),
        ("abc", patterns(1, 2, 3) / 2, {}, ValueError, "head 0.0, query 0: the weights sum to 0.5; expected 1"),
        ("abc", patterns(1, 2, 3) - 1, {}, ValueError, "head 0.0, query 0: a weight is -1; expected 0 to 1"),
        ("abc", patterns(1, 2, 3) * torch.nan, {}, ValueError, "a weight is nan; expected 0 to 1"),
        ("abc", patterns(1, 2, 3).roll(1, -1), {}, ValueError, "query 0: 1 of the weight is on a later token, 1;"),
        ("abc", patterns(1, 2, 3), {"heads": [(0, 2)]}, ValueError, "heads holds (0, 2); expected pairs (layer, head)"),
        ("abc", patterns(1, 2, 3), {"heads": []}, ValueError, "heads is []; expected at least one pair"),
        ("abc", patterns(1, 2, 3), {"heads": [(0, 1), (0, 1)]}, ValueError, "none of them twice"),
        (
            "abc",
            patterns(1, 2, 3),
            {"start": (0, 1, 3)},
            ValueError,
            "start is (0, 1, 3); expected (layer,",
        ),
        ("abc", patterns(1, 2, 3), {"start": (0, 1, 0), "heads": [(0, 0)]}, ValueError, "one of the 1 heads shown"),
        ("abc", patterns(1, 2, 3), {"rtol": 0.1}, ValueError, "a tolerance needs its reason"),
    ],
)
def test_what_is_no_attention_is_refused(tokens, values, options: dict, error, said: str) -> None:
    with pytest.raises(error, match=re.escape(said)):
        attention(tokens, values, name="looks", alt=ALT, **options)


def test_more_than_a_page_can_carry_is_refused_with_a_way_out(published) -> None:
    values = patterns(4, 12, 40)
    message = r"48 heads on 40 tokens make (.*) characters, and a page can carry 30,000: take at most a text of"
    with pytest.raises(ValueError, match=message) as refused:
        attention([" w"] * 40, values, name="looks", alt=ALT)
    n, heads = map(int, re.search(r"text of (\d+) tokens or (\d+) of the heads", str(refused.value)).groups())
    rows = values[..., :n, :n]
    fits = published([" w"] * n, rows)[0]["weights"]
    lab._figures.clear()
    some = [(i // 12, i % 12) for i in range(heads)]
    assert max(len(fits), len(published([" w"] * 40, values, heads=some)[0]["weights"])) <= LIMIT
    lab._figures.clear()
    with pytest.raises(ValueError, match="characters"):
        attention([" w"] * (n + 1), values[..., : n + 1, : n + 1], name="looks", alt=ALT)


def test_no_alt_text_no_figure() -> None:
    with pytest.raises(ValueError, match="alt is ''"):
        attention("abc", patterns(1, 1, 3), name="looks", alt="")
