"""Byte-level byte-pair encoding from scratch: how text becomes the numbers that a language model reads.

Training (`train_bpe`) starts from the 256 bytes and keeps joining the most frequent pair of neighbours; encoding
replays those joins, earliest first. Sennrich et al. (2016), "Neural Machine Translation of Rare Words with Subword
Units"; the form over bytes is that of GPT-2, Radford et al. (2019). Merges and ids equal those of the `tokenizers`
library on the same text, and `save` writes its file format.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import regex

END_OF_TEXT = "<|endoftext|>"

# GPT-2 cuts text into chunks before it looks for pairs: no merge crosses from one word into the next. A space belongs
# to the word that follows it; of several spaces, all but the last stand alone.
CHUNK = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")

Pair = tuple[int, int]


def byte_letters() -> list[str]:
    """A visible letter for each byte, index 0 to 255: GPT-2's way to write byte strings as text.

    Printable bytes of Latin-1 stand for themselves; the others are moved to the letters from U+0100 on, so that a space
    is written `Ġ` and a newline `Ċ`.
    """
    visible = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    hidden = iter(range(256, 512))
    return [chr(byte if byte in visible else next(hidden)) for byte in range(256)]


LETTERS = byte_letters()
BYTES = {letter: byte for byte, letter in enumerate(LETTERS)}


@dataclass(frozen=True)
class Tokenizer:
    """A byte-level BPE tokenizer."""

    vocab: tuple[str, ...]  # in the order of their ids, written with `byte_letters`; id 0 is the end of a text
    merges: tuple[tuple[str, str], ...]  # pairs of tokens to join, most urgent first
    _chunks: dict[str, list[int]] = field(default_factory=dict, repr=False, compare=False)  # chunks met before

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of each token."""
        return {token: i for i, token in enumerate(self.vocab)}

    @cached_property
    def ranks(self) -> dict[tuple[str, str], int]:
        """The place of each merge in the order of training: lower is joined first."""
        return {pair: rank for rank, pair in enumerate(self.merges)}

    def encode(self, text: str) -> list[int]:
        """The ids of a text. `<|endoftext|>` in it becomes the one token of that name; nothing is added."""
        out: list[int] = []
        for i, part in enumerate(text.split(END_OF_TEXT)):
            if i:
                out.append(self.ids[END_OF_TEXT])
            for chunk in CHUNK.findall(part):
                if chunk not in self._chunks:
                    self._chunks[chunk] = [self.ids[token] for token in self._join(chunk)]
                out += self._chunks[chunk]
        return out

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids. Bytes that are no UTF-8 (part of a character) become U+FFFD, the replacement character."""
        raw = bytearray()
        for i in ids:
            if not 0 <= i < len(self.vocab):
                raise ValueError(f"token id {i} is not in the vocabulary; ids run from 0 to {len(self.vocab) - 1}")
            token = self.vocab[i]
            raw += token.encode() if token == END_OF_TEXT else bytes(BYTES[letter] for letter in token)
        return raw.decode("utf-8", errors="replace")

    def _join(self, chunk: str) -> list[str]:
        """Join the neighbours whose merge was learned first, until no two can be joined."""
        try:
            tokens = [LETTERS[byte] for byte in chunk.encode("utf-8")]
        except UnicodeEncodeError as error:
            said = f"the text {chunk!r} holds half a surrogate pair"
            raise ValueError(f"{said}; read it with the right encoding") from error
        while len(tokens) > 1:
            rank, i = min((self.ranks.get(pair, len(self.ranks)), i) for i, pair in enumerate(pairwise(tokens)))
            if rank == len(self.ranks):
                break
            tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
        return tokens

    def save(self, folder: str | Path) -> None:
        """Write `tokenizer.json` into a folder; `load_tokenizer` and the `tokenizers` library read it."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers

        library = Tokenizer(models.BPE(self.ids, list(self.merges)))
        library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        library.decoder = decoders.ByteLevel()
        library.add_special_tokens([END_OF_TEXT])
        library.save(str(Path(folder, "tokenizer.json")))


def load_tokenizer(folder: str | Path) -> Tokenizer:
    """Read a byte-level BPE tokenizer from the `tokenizer.json` in a folder."""
    model = json.loads(Path(folder, "tokenizer.json").read_text(encoding="utf-8"))["model"]
    vocab = sorted(model["vocab"], key=model["vocab"].get)
    return Tokenizer(tuple(vocab), tuple((left, right) for left, right in model["merges"]))


def train_bpe(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Learn a byte-level BPE vocabulary.

    Of the pairs that are equally frequent, the one with the smaller first id is joined, and then the one with the
    smaller second id. A pair counts at every place where it stands, also where two places overlap ("aaa" holds two).

    The size counts the 256 bytes and the end of a text, else a ValueError; fewer tokens come if no pair is left.
    """
    vocab = [END_OF_TEXT, *sorted(LETTERS)]
    if vocab_size < len(vocab):
        raise ValueError(f"vocab_size is {vocab_size}; the bytes and {END_OF_TEXT} alone are {len(vocab)}")
    ids = {token: i for i, token in enumerate(vocab)}
    chunks = Counter(chunk for text in texts for chunk in CHUNK.findall(text))
    words = [[ids[LETTERS[byte]] for byte in chunk.encode("utf-8")] for chunk in chunks]
    times = list(chunks.values())

    count: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[int]] = defaultdict(set)  # which words hold a pair, or once did
    for w, word in enumerate(words):
        for pair in pairwise(word):
            count[pair] += times[w]
            places[pair].add(w)
    queue = [(-n, pair) for pair, n in count.items()]  # may hold outdated counts: they are skipped when met
    heapq.heapify(queue)

    merges: list[tuple[str, str]] = []
    while queue and len(vocab) < vocab_size:
        n, pair = heapq.heappop(queue)
        if count[pair] != -n or not n:
            continue
        left, right = vocab[pair[0]], vocab[pair[1]]
        merges.append((left, right))
        if left + right not in ids:  # two different pairs may spell the same token
            ids[left + right] = len(vocab)
            vocab.append(left + right)
        changed: Counter[Pair] = Counter()
        for w in places.pop(pair):
            before = words[w]
            words[w] = after = replace(before, pair, ids[left + right])
            for gone in pairwise(before):
                changed[gone] -= times[w]
            for come in pairwise(after):
                changed[come] += times[w]
                places[come].add(w)
        for other, difference in changed.items():
            if difference:
                count[other] += difference
                heapq.heappush(queue, (-count[other], other))
    return Tokenizer(tuple(vocab), tuple(merges))


def replace(word: list[int], pair: Pair, new: int) -> list[int]:
    """Put `new` for each occurrence of a pair, from left to right."""
    out, i = [], 0
    while i < len(word):
        if i + 1 < len(word) and (word[i], word[i + 1]) == pair:
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out
