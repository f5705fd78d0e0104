"""The recipes in miniature, through the same code as the shipped models, and what ships."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from llmnotes.model.loading import CHECKPOINTS, load, untrained
from llmnotes.scratch.tokenizer import LETTERS, load_tokenizer
from llmnotes.scratch.training import Plan
from llmnotes.scratch.transformer import Config
from llmnotes.shipped.cards import curve, table
from llmnotes.shipped.corpus import read_documents, to_tokens
from llmnotes.shipped.formation import FILE, LAST, measure, vote
from llmnotes.shipped.recipes import WORLD_STEPS, main, train_fairytale, train_world, write_counts
from llmnotes.world.grading import grade, is_right, rivals
from llmnotes.world.lexicon import IDS, RULES, VOCABULARY
from llmnotes.world.oracle import truth
from llmnotes.world.stories import TEST_SEED, held_out, read, story_batches

TINY_WORLD = Config(vocab_size=len(VOCABULARY), n_ctx=32, n_layers=1, n_heads=2, d_model=16, d_mlp=16)
TINY_ATTENTION = Config(vocab_size=len(VOCABULARY), n_ctx=32, n_layers=1, n_heads=2, d_model=16, mlp=False)
TALE = "Once upon a time there was a king, who had {} daughters. 'Ah!' said the wolf, and ate {} of them.\n\nThe end."


@pytest.fixture(scope="module")
def tales(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for split, numbers in (("train", range(60)), ("valid", range(60, 66))):
        text = "\n\n<|endoftext|>\n\n".join(TALE.format(i, i // 2) for i in numbers)
        (folder / f"{split}.txt").write_text(text + "\n", encoding="utf-8")
    return folder


def test_a_tiny_world_is_made_as_the_shipped_one_is(tmp_path):
    plan = Plan(steps=30, lr=1e-2, warmup=2, evaluate_every=15)
    made = train_world(
        tmp_path,
        config=TINY_WORLD,
        attention_config=TINY_ATTENTION,
        plan=plan,
        attention_plan=plan,
        batch_size=4,
        steps_kept=(0, 20),
        test_stories=8,
        progress=False,
    )
    world = made["world"]
    assert world["above_floor"] > 0
    assert world["loss"] > world["floor"]
    assert [step["step"] for step in world["steps"]] == [0, 20]
    assert world["steps"][0]["above_floor"] > world["steps"][1]["above_floor"]
    assert json.loads((tmp_path / "metrics.json").read_text()) == json.loads(json.dumps(world))
    for folder in (tmp_path, tmp_path / "step-0", tmp_path / "step-20", tmp_path / "attention-only"):
        loads_with_nothing_of_ours(folder, "the cats are happy .")
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
    check_card(tmp_path / "README.md", world["sha256"], f"{world['above_floor']:.4f}")
    check_card(tmp_path / "attention-only" / "README.md", made["world/attention-only"]["sha256"])


def test_a_replicate_of_a_tiny_world_differs_in_weights_and_stories(tmp_path):
    plan = Plan(steps=4, lr=1e-2, warmup=2, evaluate_every=2)
    options = {"config": TINY_WORLD, "attention_config": None, "plan": plan, "batch_size": 2, "test_stories": 4}
    first = train_world(tmp_path, **options, steps_kept=(), progress=False)["world"]
    made = train_world(tmp_path, **options, seed=3, progress=False)
    second = made["world/seed-3"]
    assert second["plan"]["seed"] == 3
    assert second["data_seed"] == 13
    assert second["sha256"] != first["sha256"]
    assert json.loads((tmp_path / "seed-3" / "metrics.json").read_text())["sha256"] == second["sha256"]
    assert second["sha256"][:12] in (tmp_path / "README.md").read_text()


def test_a_tiny_fairytale_is_made_as_the_shipped_one_is(tmp_path, tales):
    config = Config(vocab_size=300, n_ctx=32, n_layers=1, n_heads=2, d_model=16)
    plan = Plan(steps=8, lr=1e-2, warmup=2, evaluate_every=4)
    options = {"config": config, "plan": plan, "batch_size": 4, "progress": False}
    loops = ((0, 0.0), (4, 0.5))
    made = train_fairytale(tmp_path, tales, loops=loops, **options)
    assert 0 < made["bits_per_character_5gram"] < made["bits_per_character"] < 8
    assert made["curve"][-1]["step"] == 8
    loads_with_nothing_of_ours(tmp_path, "Once upon a time, said the wolf: ‘Märchen!’")
    check_card(tmp_path / "README.md", made["sha256"], f"{made['bits_per_character']:.3f}")
    check_counts(tmp_path, made["train_tokens"])
    again = train_fairytale(tmp_path, tales, loops=loops, **options)  # nothing is left to train
    assert {**again, "made": ""} == {**made, "made": ""}


def loads_with_nothing_of_ours(folder: Path, text: str) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, notes = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not notes["missing_keys"]
    assert not notes["unexpected_keys"]
    assert model.dtype == torch.float16
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert tokenizer.eos_token_id == 0
    assert not [path.name for path in folder.iterdir() if path.suffix in (".py", ".bin", ".pt", ".pkl")]


def check_counts(folder: Path, total: int) -> None:
    counts = json.loads((folder / "counts.json").read_text(encoding="utf-8"))
    tokenizer = load_tokenizer(folder)
    assert len(counts) == len(tokenizer.vocab)
    assert sum(counts) == total
    assert counts[tokenizer.ids[LETTERS[0xFF]]] == 0  # no UTF-8 text holds this byte


def test_counts_are_of_the_training_text(tales):
    tokenizer = load_tokenizer(CHECKPOINTS / "fairytale")
    tokens = to_tokens(read_documents(tales / "train.txt"), tokenizer)
    write_counts(tales, tokens, len(tokenizer.vocab))
    counts = json.loads((tales / "counts.json").read_text(encoding="utf-8"))
    assert counts[0] == 61  # before each of 60 tales and after the last
    assert counts[tokenizer.ids["Ġking"]] == 60
    assert sum(counts) == len(tokens)


def test_the_shipped_counts_fit_the_shipped_model():
    metrics = json.loads((CHECKPOINTS / "fairytale" / "metrics.json").read_text(encoding="utf-8"))
    check_counts(CHECKPOINTS / "fairytale", metrics["train_tokens"])


def check_card(path: Path, *quoted: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert sum(line.startswith("# ") for line in text.splitlines()) == 1
    assert "nan" not in text.replace("finance", "")
    for number in quoted:
        assert number in text


def test_story_batches_are_fresh_and_score_no_padding():
    batch = story_batches(64, 6)
    inputs, targets = batch(2)
    assert inputs.shape == targets.shape == (6, 64)
    assert torch.equal(batch(2)[0], inputs)
    assert not torch.equal(batch(3)[0], inputs)
    for row, target in zip(inputs, targets, strict=True):
        n = int((target != -100).sum())
        assert torch.equal(row[1:n], target[: n - 1])
        assert (target[n:] == -100).all()
        assert row[0] == IDS["<|endoftext|>"]


def test_the_oracle_itself_has_no_divergence_and_every_rule_right():
    class Oracle(torch.nn.Module):
        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            true = truth([VOCABULARY[i] for i in ids[0].tolist()])
            return true.probs.clamp(min=1e-300).log()[None]

    grades = grade(Oracle(), held_out(3, 25), 128)
    assert abs(grades.above_floor) < 1e-9
    assert grades.loss == pytest.approx(grades.floor)
    assert set(grades.accuracy) == set(RULES)
    assert grades.accuracy == dict.fromkeys(RULES, 1.0)
    assert 0.5 < grades.oracle_mood < 0.9


def test_a_uniform_model_has_nothing_right():
    class Uniform(torch.nn.Module):
        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return torch.zeros(*ids.shape, len(VOCABULARY))

    grades = grade(Uniform(), held_out(3, 10), 64)
    assert all(grades.accuracy[rule] == 0 for rule in ("fact", "list", "indirect_object", "pronoun", "closing"))
    assert grades.loss == pytest.approx(torch.tensor(float(len(VOCABULARY))).log().item())


@pytest.mark.parametrize(
    ("rule", "word"), [("pronoun", "she"), ("agreement_1", "are"), ("list", "ba"), ("mood", "grim")]
)
def test_rivals_never_share_a_word_with_the_right_group(rule, word):
    right, *others = rivals(rule, word)
    assert word in right
    assert others
    assert not any(right & other for other in others)
    probs = torch.zeros(len(VOCABULARY))
    probs[IDS[next(iter(others[0]))]] = 1.0
    assert not is_right(probs, rule, word)
    probs[IDS[word]] = 2.0
    assert is_right(probs, rule, word)


def test_tables_and_curves():
    assert table(["a", "b"], [[1, 2]]).splitlines() == ["| a | b |", "| --- | ---: |", "| 1 | 2 |"]
    log = [{"step": step, "loss": 1.0, "x": 2.0} for step in range(10, 1001, 10)]
    steps = [line.split("|")[1].strip() for line in curve({"curve": log}, {"x": "x"}).splitlines()[2:]]
    assert steps[0] == "10"
    assert steps[-1] == "1000"
    assert len(steps) <= 12


def test_the_command_line_says_what_is_missing(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["fairytale", "--out", str(tmp_path)])
    assert "--corpus" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError, match="fairytale-corpus"):
        main(["fairytale", "--out", str(tmp_path), "--corpus", str(tmp_path / "absent")])
    assert not (tmp_path / "run").exists()


def test_recipes_run_without_the_site_extra():
    code = "import sys; sys.modules['click'] = sys.modules['mkdocs'] = None; import llmnotes.shipped.recipes"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_how_rules_formed_is_measured_as_the_lab_measures_it():
    """A finished World has every rule and neither stand-in; an untrained one has nothing."""
    story = read(TEST_SEED, 1, 60)[1][0]
    names = [i for i, token in enumerate(story) if token.pos == "name"]
    assert vote(story, names[0]) == 0
    assert abs(vote(story, names[-1])) <= len(names)
    world = load("world")
    done, new = (measure(m.model, graded=4, searched=40) for m in (world, untrained(world)))
    assert done["agreement_0"] == 1
    assert done["attracted"] > 0.99 > 0.7 > new["attracted"]
    assert done["vote_wrong"] > 0.9 > 0.8 > new["vote_wrong"]


def test_the_runs_that_ship_are_graded_at_the_steps_that_ship():
    runs = json.loads(FILE.read_text())
    assert list(runs) == ["1", "2"]
    for rows in runs.values():
        assert [row["step"] for row in rows] == [step for step in WORLD_STEPS if step <= LAST]
        assert {*RULES, "attracted", "vote_right", "vote_wrong"} < {*rows[0]}
