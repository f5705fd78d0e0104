"""Turn a model in llama2.c's file format, as stories260K was published, into a folder that `from_pretrained` reads.

The format is that of `export.py` (version 0) and `run.c` in Andrej Karpathy's llama2.c: seven whole numbers, then all
weights as float32, one tensor after another. The tokenizer's file holds a score and the bytes of every token.

Two things differ from transformers. llama2.c turns neighbouring dimensions (2i, 2i + 1) of a query or key, transformers
the pairs (i, i + d_head/2): the rows of the query and key matrices change places. And the file says nothing about the
epsilon of the norms: run.c has 1e-5.

    python -m llmnotes.shipped.llama2c stories260K.bin tok512.bin FOLDER
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

HEADER = struct.Struct("<7i")  # dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len


def read_llama2c(path: str | Path) -> LlamaForCausalLM:
    """Read a llama2.c model, in float32 and eval mode; ValueError where the file's size is not what its header says."""
    raw = Path(path).read_bytes()
    if len(raw) < HEADER.size:
        raise ValueError(f"{path} has {len(raw)} bytes; a llama2.c model begins with {HEADER.size} bytes of sizes")
    dim, hidden, n_layers, n_heads, n_kv_heads, vocab_size, n_ctx = HEADER.unpack_from(raw)
    tied, vocab_size = vocab_size > 0, abs(vocab_size)  # negative: the unembedding has weights of its own
    d_head = dim // n_heads if n_heads > 0 else 0
    kv_dim = d_head * n_kv_heads
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens": (vocab_size, dim),
        "input_layernorm": (n_layers, dim),
        "self_attn.q_proj": (n_layers, dim, dim),
        "self_attn.k_proj": (n_layers, kv_dim, dim),
        "self_attn.v_proj": (n_layers, kv_dim, dim),
        "self_attn.o_proj": (n_layers, dim, dim),
        "post_attention_layernorm": (n_layers, dim),
        "mlp.gate_proj": (n_layers, hidden, dim),
        "mlp.down_proj": (n_layers, dim, hidden),
        "mlp.up_proj": (n_layers, hidden, dim),
        "model.norm": (dim,),
        "rotary tables, which we compute": (2, n_ctx, d_head // 2),
    } | ({} if tied else {"lm_head": (vocab_size, dim)})
    sizes = {name: torch.Size(shape).numel() for name, shape in shapes.items()}
    expected = HEADER.size + 4 * sum(sizes.values())
    if min(dim, hidden, n_layers, n_heads, n_kv_heads, vocab_size, n_ctx) < 1 or len(raw) != expected:
        said = f"{path} has {len(raw)} bytes, and its header {HEADER.unpack_from(raw)} asks for {expected}"
        raise ValueError(f"{said}; it is no llama2.c model of version 0, or it was cut off: fetch it again")
    weights = torch.frombuffer(bytearray(raw[HEADER.size :]), dtype=torch.float32)
    state: dict[str, Tensor] = {}
    for (name, shape), part in zip(shapes.items(), weights.split(list(sizes.values())), strict=True):
        if name.startswith(("model.", "lm_head")):
            state[f"{name}.weight"] = part.view(shape)
        elif not name.startswith("rotary"):
            heads = {"self_attn.q_proj": n_heads, "self_attn.k_proj": n_kv_heads}.get(name)
            for layer, weight in enumerate(part.view(shape)):
                state[f"model.layers.{layer}.{name}.weight"] = halves(weight, heads) if heads else weight
    config = LlamaConfig(
        hidden_size=dim,
        intermediate_size=hidden,
        num_hidden_layers=n_layers,
        num_attention_heads=n_heads,
        num_key_value_heads=n_kv_heads,
        vocab_size=vocab_size,
        max_position_embeddings=n_ctx,
        rms_norm_eps=1e-5,
        tie_word_embeddings=tied,
        bos_token_id=1,
        eos_token_id=2,
    )
    model = LlamaForCausalLM(config)
    model.load_state_dict({"lm_head.weight": state["model.embed_tokens.weight"]} | state)
    return model.float().eval()


def halves(weight: Float[Tensor, "rows dim"], n_heads: int) -> Float[Tensor, "rows dim"]:
    """Reorder each head's rows from pairs of neighbours (2i, 2i + 1) to transformers' pairs (i, i + d_head/2)."""
    rows, dim = weight.shape
    return weight.view(n_heads, rows // n_heads // 2, 2, dim).transpose(1, 2).reshape(rows, dim)


def read_llama2c_tokenizer(path: str | Path, vocab_size: int) -> PreTrainedTokenizerFast:
    """Read a llama2.c tokenizer: SentencePiece's BPE with byte fallback, merges in the order of the tokens' scores.

    Like run.c it puts `<s>` before the text and a space before the first word. Raises ValueError where the file holds
    another number of tokens than `vocab_size`; it does not say how many.
    """
    raw = Path(path).read_bytes()
    position, pieces, scores = 4, [], []
    try:
        for _ in range(vocab_size):
            score, length = struct.unpack_from("<fi", raw, position)
            piece = raw[position + 8 : position + 8 + length]
            position += 8 + length
            scores.append(score)
            pieces.append(piece.decode("utf-8").replace(" ", "▁"))
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} does not hold a tokenizer of {vocab_size} tokens: {error}") from error
    if position != len(raw):
        raise ValueError(f"{path} goes on behind its {vocab_size} tokens; it belongs to another vocabulary")
    pieces[:3] = ["<unk>", "<s>", "</s>"]
    return _sentencepiece_bpe(pieces, scores)


def _sentencepiece_bpe(pieces: list[str], scores: list[float]) -> PreTrainedTokenizerFast:
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors

    ids = {piece: i for i, piece in enumerate(pieces)}
    ranked = []
    for i, piece in enumerate(pieces):
        for cut in range(1, len(piece)):
            left, right = piece[:cut], piece[cut:]
            if left in ids and right in ids:
                ranked.append((-scores[i], ids[left], ids[right], left, right))
    merges = [(left, right) for *_, left, right in sorted(ranked)]
    tokenizer = Tokenizer(models.BPE(ids, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in pieces[:3]])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>")


if __name__ == "__main__":
    weights_file, tokenizer_file, into = sys.argv[1:]
    llama = read_llama2c(weights_file)
    llama.save_pretrained(into)
    read_llama2c_tokenizer(tokenizer_file, llama.config.vocab_size).save_pretrained(into)
