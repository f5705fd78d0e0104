"""Head scores find heads that were built to do one thing, and chance is what chance gives."""

import copy

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from llmnotes.methods.heads import composition, copying, looking, repeated_tokens
from llmnotes.model.architectures import parts
from llmnotes.model.blocks import gain
from llmnotes.model.interventions import replace
from llmnotes.model.tracing import trace


def with_pattern(model, ids, pattern):
    """What the scores say of a model whose heads all look as we tell them."""
    value = pattern.expand(len(ids), 4, -1, -1)
    with replace(model, "pattern", 1, value):
        return {name: score.values[1] for name, score in looking(model, ids).items()}


def test_heads_that_look_at_one_kind_of_place_get_one(gpt2):
    ids = repeated_tokens(gpt2, batch=2, length=8, seed=3)
    n = ids.size(1)
    previous = torch.zeros(n, n)
    previous[range(1, n), range(n - 1)] = 1
    previous[0, 0] = 1
    assert with_pattern(gpt2, ids, previous)["previous"].tolist() == pytest.approx([1.0] * 4)
    first = torch.zeros(n, n)
    first[:, 0] = 1
    assert with_pattern(gpt2, ids, first)["first"].tolist() == pytest.approx([1.0] * 4)
    distinct = torch.arange(8).repeat(2)[None]
    induction = torch.zeros(n, n)
    induction[range(8, n), range(1, n - 7)] = 1
    induction[range(8), 0] = 1
    scores = with_pattern(gpt2, distinct, induction)
    assert scores["induction"].tolist() == pytest.approx([1.0] * 4)
    assert scores["entropy"].abs().max() < 1e-6
    duplicate = torch.zeros(n, n)
    duplicate[range(8, n), range(n - 8)] = 1
    duplicate[range(8), 0] = 1
    assert with_pattern(gpt2, distinct, duplicate)["duplicate"].tolist() == pytest.approx([1.0] * 4)


def test_a_head_that_looks_everywhere_alike_scores_chance(gpt2):
    ids = repeated_tokens(gpt2, batch=2, length=8, seed=1)
    n = ids.size(1)
    uniform = torch.ones(n, n).tril()
    scores = with_pattern(gpt2, ids, uniform / uniform.sum(-1, keepdim=True))
    for name, score in looking(gpt2, ids).items():
        assert scores[name].tolist() == pytest.approx([score.chance] * 4, abs=1e-5), name


def test_padding_changes_no_score(gpt2):
    rows = [[7, 3, 21, 60, 3, 21, 5, 44], [9, 11, 2]]
    together = looking(gpt2, rows)
    seen = [trace(gpt2, row, ["pattern"])["pattern", 1][0] for row in rows]
    paid = torch.cat([torch.stack([p[:, q, q - 1] for q in range(1, p.size(1))]) for p in seen])
    torch.testing.assert_close(together["previous"].values[1], paid.mean(0), rtol=1e-5, atol=1e-5)
    left = looking(gpt2, rows, padding="left")
    for name in together:
        torch.testing.assert_close(left[name].values, together[name].values, rtol=1e-4, atol=1e-5)


def eigenvalue_score(table):
    values = torch.linalg.eigvals(table.detach())
    return (values.sum().real / values.abs().sum()).item()


def test_copying_equals_its_definition(model):
    found = parts(model)
    block, group = found.blocks[1], found.sizes.n_heads // found.sizes.n_kv_heads
    head, size = 3, found.sizes.d_model
    ov = block.w_v[head // group].double() @ block.w_o[head].double()
    w_e, w_u = found.w_e.double(), gain(found.final_norm).double()[:, None] * found.w_u.double()
    plain = copying(model, centred=False)
    assert plain.values[1, head].item() == pytest.approx(eigenvalue_score(w_e @ ov @ w_u), abs=1e-4)
    over_tokens = torch.eye(61) - 1 / 61
    read, write = (
        torch.eye(size) - 1 / size if isinstance(norm, torch.nn.LayerNorm) else torch.eye(size)
        for norm in (block.norm_attn, found.final_norm)
    )
    into = over_tokens.double() @ w_e @ read.double() * gain(block.norm_attn).double()
    out = write.double() @ w_u @ over_tokens.double()
    scores = copying(model)
    assert scores.values[1, head].item() == pytest.approx(eigenvalue_score(into @ ov @ out), abs=1e-4)


def test_a_direction_that_all_tokens_share_moves_no_copying_score(gpt2):
    loud = copy.deepcopy(gpt2)
    with torch.no_grad():
        loud.transformer.wte.weight += 3 * torch.randn(32, generator=torch.Generator().manual_seed(1))
    for scores in (copying(gpt2), copying(loud)):
        assert abs(scores.chance) < 0.05
        assert 0.05 < scores.bound < 0.6
    torch.testing.assert_close(copying(loud).values, copying(gpt2).values, atol=2e-3, rtol=0)
    plain = copying(gpt2, centred=False), copying(loud, centred=False)
    assert (plain[0].values - plain[1].values).abs().max() > 0.1
    assert plain[1].bound > 1.3 * copying(loud).bound


def test_a_head_made_to_copy_scores_one_and_made_to_suppress_minus_one():
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=2, n_embd=16, vocab_size=16, n_positions=8)).eval()
    with torch.no_grad():
        model.transformer.wte.weight.copy_(torch.eye(16))
        block = parts(model).blocks[0]
        model.transformer.h[0].attn.c_attn.weight[:, 32:40] = torch.eye(16)[:, :8]
        model.transformer.h[0].attn.c_attn.weight[:, 40:48] = torch.eye(16)[:, 8:]
        block.w_o[0] = torch.eye(16)[:8]
        block.w_o[1] = -torch.eye(16)[8:]
    scores = copying(model)
    assert scores.values[0].tolist() == pytest.approx([1.0, -1.0])
    assert scores.bound < 0.9  # permuted tokens: no such head copies


@pytest.mark.parametrize("kind", ["q", "k", "v"])
def test_composition_equals_its_definition(model, kind):
    scores, found = composition(model, kind), parts(model)
    group = found.sizes.n_heads // found.sizes.n_kv_heads
    one, two, a, b = 0, 2, 1, 3
    early, late = found.blocks[one], found.blocks[two]
    wrote = early.w_v[a // group] @ early.w_o[a]
    qk = late.w_q[b] @ late.w_k[b // group].T
    reads = {"q": qk, "k": qk.T, "v": late.w_v[b // group] @ late.w_o[b]}[kind]
    wanted = (wrote @ reads).norm() / (wrote.norm() * reads.norm())
    assert scores.values[one, a, two, b].item() == pytest.approx(wanted.item(), rel=1e-4)
    assert scores.values[1, :, 1].isnan().all()
    assert 0.1 < scores.chance < 0.5  # about 1 / sqrt(d_model)


def test_what_scores_refuse(gpt2):
    with pytest.raises(ValueError, match="kind is 'o'"):
        composition(gpt2, "o")
    with pytest.raises(ValueError, match="draws is 0"):
        copying(gpt2, draws=0)
    with pytest.raises(ValueError, match="q-composition has no null"):
        _ = composition(gpt2, "q").bound
    with pytest.raises(ValueError, match="2 x 20 tokens make 40"):
        repeated_tokens(gpt2, length=20)
    assert looking(gpt2, repeated_tokens(gpt2, batch=1, length=4))["previous"].top(1)[0][2] > 0
