"""The training loop: the same losses twice, runs that resume exactly, and batches that deal the whole text."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from llmnotes.scratch.training import Muon, Plan, loss_of, orthogonalized, train
from llmnotes.scratch.transformer import Config, Transformer
from llmnotes.shipped.corpus import read_documents, to_tokens, windows, with_loops

TOKENS = torch.randint(20, (3000,), generator=torch.Generator().manual_seed(0)).sort().values  # learnable: it ascends
PLAN = Plan(steps=12, lr=1e-2, warmup=3, evaluate_every=4)


def model(dropout: float = 0.1) -> Transformer:
    return Transformer(Config(vocab_size=20, n_ctx=16, n_layers=1, n_heads=2, d_model=16, dropout=dropout))


def losses(log: list[dict]) -> list[float]:
    return [entry["loss"] for entry in log]


def test_two_runs_give_the_same_losses_and_learn(tmp_path):
    batch = windows(TOKENS, 16, 4)
    one, other = model(), model()
    first = train(one, batch, PLAN, tmp_path / "a", progress=False)
    second = train(other, batch, PLAN, tmp_path / "b", progress=False)
    assert losses(first) == losses(second)
    assert torch.equal(one.lm_head.weight, other.lm_head.weight)
    assert losses(first)[-1] < losses(first)[0] - 0.3


def test_an_interrupted_run_goes_on_as_if_it_had_not_stopped(tmp_path):
    batch = windows(TOKENS, 16, 4)
    whole = model()
    log = train(whole, batch, PLAN, tmp_path / "whole", progress=False)

    class StoppedError(Exception):
        pass

    def stop(_: torch.nn.Module, steps: int) -> None:
        if steps == 10:  # two steps after the state was saved
            raise StoppedError

    with pytest.raises(StoppedError):
        train(model(), batch, PLAN, tmp_path / "cut", after=stop, progress=False)
    seen: list[int] = []
    resumed = model()
    again = train(resumed, batch, PLAN, tmp_path / "cut", after=lambda _, steps: seen.append(steps), progress=False)
    assert seen == [9, 10, 11, 12]
    assert losses(again) == losses(log)
    assert torch.equal(resumed.lm_head.weight, whole.lm_head.weight)
    lines = (tmp_path / "cut" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [4, 8, 12]


def test_a_finished_run_is_not_run_again(tmp_path):
    batch = windows(TOKENS, 16, 4)
    train(model(), batch, PLAN, tmp_path, progress=False)
    again = model()
    log = train(again, lambda step: pytest.fail("no step is left"), PLAN, tmp_path, progress=False)
    assert log[-1]["step"] == 12


def test_the_rate_rises_and_falls_along_a_cosine():
    plan = Plan(steps=110, lr=2.0, warmup=10, final=0.1)
    assert [plan.rate(step) for step in (0, 4, 9)] == pytest.approx([0.2, 1.0, 2.0])
    assert plan.rate(10) == pytest.approx(2.0)
    assert plan.rate(60) == pytest.approx(1.1)
    assert plan.rate(110) == pytest.approx(0.2)


def test_weight_decay_touches_matrices_only(tmp_path):
    net = model(0.0)
    vectors = {name: p.detach().clone() for name, p in net.named_parameters() if p.dim() == 1}
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.requires_grad_(parameter.dim() > 1)
    bare, decayed = model(0.0), model(0.0)
    batch = windows(TOKENS, 16, 4)
    train(bare, batch, Plan(steps=1, lr=1e-2, warmup=1, weight_decay=0.0), tmp_path / "a", progress=False)
    train(decayed, batch, Plan(steps=1, lr=1e-2, warmup=1, weight_decay=0.5), tmp_path / "b", progress=False)
    for (name, p), (_, q) in zip(bare.named_parameters(), decayed.named_parameters(), strict=True):
        if p.dim() == 1:
            assert torch.equal(p, q), name
            assert name in vectors
        else:
            start = dict(model(0.0).named_parameters())[name]
            torch.testing.assert_close(q - p, -1e-2 * 0.5 * start, atol=1e-7, rtol=1e-3)


def test_a_gradient_that_is_not_finite_stops_the_run(tmp_path):
    net = model(0.0)
    with torch.no_grad():
        net.lm_head.weight.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="step 0"):
        train(net, windows(TOKENS, 16, 4), PLAN, tmp_path, progress=False)


def test_windows_deal_the_text_once_an_epoch():
    tokens = torch.arange(1000)
    batch = windows(tokens, 10, 3)
    per_epoch = (1000 - 1 - 10) // 10 // 3
    starts = []
    for step in range(per_epoch):
        inputs, targets = batch(step)
        assert torch.equal(inputs + 1, targets)
        starts += inputs[:, 0].tolist()
    assert len({start % 10 for start in starts}) == 1
    assert len(set(starts)) == len(starts) == per_epoch * 3
    assert not torch.equal(batch(0)[0], batch(per_epoch)[0])
    with pytest.raises(ValueError, match="too few"):
        windows(tokens[:30], 10, 3)


def text_batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    rows = torch.zeros(64, 101, dtype=torch.long)  # text is all zeros, so that copies show
    return rows[:, :-1], rows[:, 1:]


def test_loops_repeat_until_the_window_is_full():
    text = torch.arange(1, 500)
    inputs, targets = with_loops(text_batch, 0.5, text, vocab_size=1000, lengths=(8, 20))(3)
    kinds = set()
    for row, target in zip(inputs, targets, strict=True):
        ignored = int((target == -100).sum())
        if not row.any():
            assert not ignored
            continue
        n = ignored + 1  # the first time round, all but its first token are targets
        assert 8 <= n <= 20
        assert (target[:ignored] == -100).all()
        assert torch.equal(row[n:], row[:-n])
        assert torch.equal(target[ignored:-1], row[n:])
        stretch = row[:n]
        steps = stretch.diff()
        kinds.add("passage" if (steps == 1).all() else "even" if stretch.max() >= 500 else "picked")
    assert kinds == {"passage", "even", "picked"}
    assert 16 <= sum(bool(row.any()) for row in inputs) <= 48
    again = with_loops(text_batch, 0.5, text, vocab_size=1000, lengths=(8, 20))(3)
    assert torch.equal(again[0], inputs)


def test_loss_ignores_what_is_not_scored():
    net = model(0.0)
    inputs, targets = windows(TOKENS, 16, 2)(0)
    half = targets.clone()
    half[:, 8:] = -100
    whole = torch.nn.functional.cross_entropy(net(inputs)[:, :8].flatten(0, 1), targets[:, :8].flatten())
    torch.testing.assert_close(loss_of(net, (inputs, half)), whole)


def test_documents_are_parted_by_their_line(tmp_path):
    path = tmp_path / "tales.txt"
    path.write_text("One.\n\nTwo.\n\n<|endoftext|>\n\nThree.\n", encoding="utf-8")
    assert read_documents(path) == ["One.\n\nTwo.", "Three."]

    class Letters:
        def encode(self, text: str) -> list[int]:
            return [ord(letter) for letter in text]

    assert to_tokens(["ab", "c"], Letters()).tolist() == [0, 97, 98, 0, 99, 0]
    with pytest.raises(FileNotFoundError, match="fairytale-corpus"):
        read_documents(tmp_path / "absent.txt")


def test_muon_takes_the_steps_of_torchs_own():
    torch.manual_seed(0)
    for shape in ((12, 30), (30, 12), (16, 16)):
        ours, theirs = (torch.nn.Parameter(torch.ones(shape)) for _ in range(2))
        one = Muon([ours], lr=0.1)
        other = torch.optim.Muon([theirs], lr=0.1, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw")
        for _ in range(3):
            ours.grad = torch.randn(shape)
            theirs.grad = ours.grad.clone()
            one.step()
            other.step()
        moved = (theirs - 1).norm()
        assert (ours - theirs).norm() < 0.03 * moved  # torch computes in bfloat16, with 8 bits of mantissa
        values = torch.linalg.svdvals(orthogonalized(torch.randn(shape)))
        assert values.max() < 1.3
    assert not orthogonalized(torch.zeros(3, 4)).any()
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        Muon([torch.nn.Parameter(torch.zeros(3))])


def test_with_muon_runs_learn_and_resume_exactly(tmp_path):
    batch, plan = windows(TOKENS, 16, 4), replace(PLAN, muon=True)
    log = train(model(), batch, plan, tmp_path / "whole", progress=False)
    assert losses(log)[-1] < losses(log)[0] - 0.3
    train(model(), batch, replace(plan, steps=8), tmp_path / "cut", progress=False)
    state = (tmp_path / "cut" / "state.safetensors").read_bytes()
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "state.safetensors").write_bytes(state)
    one = train(model(), batch, plan, tmp_path / "cut", progress=False)
    other = train(model(), batch, plan, tmp_path / "more", progress=False)
    assert losses(one) == losses(other)
    assert [entry["step"] for entry in one] == [4, 8, 12]
