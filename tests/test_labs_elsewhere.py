"""The labs on a real model, given another by their one word: each runs to its end, or says what that model lacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import ROOT, clean_environment
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

from llmnotes.model import CHECKPOINTS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="one process imports what six labs need")
ONE_WORD = 'NAME = "smollm2"'
SIX = sorted(path for path in (ROOT / "labs").glob("4[0-5]_*.py"))
# What each lab says of Fairytale, which knows no capitals, has no sink and was never tuned; the one that is empty ends.
LACKS = {
    "40_paris": "fairytale: only 0 countries are one token",
    "41_sinks": "fairytale: after layer 3 the first token's stream is",
    "42_ioi": "fairytale: only 7 of 32 words such as 'Mary' are one token each",
    "43_induction": "",
    "44_truth": "fairytale: the best layer's direction is right in",
    "45_chat": "fairytale has no tokens <|im_start|> and <|im_end|>",
}
RUN = """
import json, os, sys
os.environ["MPLBACKEND"] = "Agg"
import matplotlib.pyplot, torch
import llmnotes, llmnotes.lab, llmnotes.methods, llmnotes.model, llmnotes.patching
llmnotes.load("fairytale")
told = []
for model, path in json.loads(sys.argv[1]):
    reads, writes = os.pipe()
    if not os.fork():
        text, said = open(path, encoding="utf-8").read(), ""
        sys.stdout = open(os.devnull, "w")
        try:
            exec(compile(text.replace('"smollm2"', repr(model), 1), path, "exec"), {"__name__": "__main__"})
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writes, said.encode()[:4000])
        os._exit(0)
    os.close(writes)
    os.wait()
    told.append(os.fdopen(reads).read())
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each lab ends with on Fairytale, and one on a giant: "" at its end, else the error."""
    giant = str(make_giant(tmp_path_factory.mktemp("giant")))
    runs = [("fairytale", str(path)) for path in SIX]
    runs += [(giant, str(path)) for path in SIX if path.stem == "41_sinks"]
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(runs)],
        env=clean_environment() | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names = [*(path.stem for path in SIX), "giant"]
    return dict(zip(names, json.loads(done.stdout.splitlines()[-1]), strict=True))


def make_giant(folder: Path) -> Path:
    """GPT-2 adds positions: a giant at the first, which no MLP writes and no token becomes by seeing itself alone."""
    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINTS / "fairytale")
    torch.manual_seed(0)
    model = GPT2LMHeadModel(
        GPT2Config(
            n_layer=4, n_head=4, n_embd=32, n_positions=64, vocab_size=len(tokenizer), bos_token_id=0, eos_token_id=0
        )
    )
    model.transformer.wpe.weight.data[0, 3] = 200.0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_one_word_names_the_model():
    assert [path.stem for path in SIX] == list(LACKS)
    for path in SIX:
        text = path.read_text(encoding="utf-8")
        assert text.count(ONE_WORD) == 1, path.stem
        assert text.index(ONE_WORD) == text.index('"smollm2"') - len("NAME = "), path.stem


@pytest.mark.parametrize("stem", LACKS)
def test_on_fairytale_a_lab_ends_or_says_what_is_missing(ends, stem):
    expected = f"ValueError: {LACKS[stem]}" if LACKS[stem] else ""
    assert ends[stem].startswith(expected)
    assert bool(ends[stem]) == bool(expected)


def test_a_giant_of_another_make_is_followed_to_the_end(ends):
    assert ends["giant"] == ""
