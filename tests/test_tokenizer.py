"""Our byte-pair encoding against the `tokenizers` library: the same merges, the same ids, and text that comes back."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer as LibraryTokenizer
from tokenizers import decoders, models, pre_tokenizers, trainers

from llmnotes.scratch.tokenizer import END_OF_TEXT, byte_letters, load_tokenizer, train_bpe

SOURCES = Path(__file__).parent.parent / "llmnotes"
TEXTS = [
    *(path.read_text(encoding="utf-8") for path in sorted(SOURCES.glob("[!s]*/*.py"))),
    "aaa aaaa aaaaa ababab abab bababa " * 7,
    "Ein Märchen: «Der Wolf und die sieben Geißlein», naïve façade, Ελλάδα, Россия, 日本語, 한국어 🐺🐐",
]
ALPHABETS = [
    "abcdefghij ABC .,;'",
    "0123456789 \n\t\r ",
    "äöüßéèñçøåæœ ÀÖ",
    "日本語한국어ελληνικάрусский עברית العربية",
    "🐺🐐👩‍👩‍👧‍👦🏳️‍🌈😀🇩🇪",
    "\u0301\u0308\u0327\u200d\ufe0f\u00ad",  # combining marks, joiners, soft hyphen
    "".join(map(chr, [*range(32), 127, 0x85, 0xA0, 0x2028, 0x3000])),  # control characters and rare spaces
    "'s 't 're 've 'm 'll 'd _-()[]{}<|>",
]


def library_bpe(texts: list[str], vocab_size: int) -> LibraryTokenizer:
    tokenizer = LibraryTokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def random_strings(n: int) -> list[str]:
    rng = random.Random(0)
    strings = []
    for i in range(n):
        letters = "".join(rng.sample(ALPHABETS, rng.randint(1, 3)))
        text = "".join(rng.choice(letters) for _ in range(rng.randint(0, 40)))
        strings.append(rng.choice(["", " ", "  ", "\n", "\n\n "]) + text + (END_OF_TEXT if i % 50 == 0 else ""))
    return strings


@pytest.fixture(scope="module")
def ours():
    return train_bpe(TEXTS, 900)


@pytest.fixture(scope="module")
def library():
    return library_bpe(TEXTS, 900)


def test_merges_and_ids_equal_the_librarys(ours, library):
    assert ours.ids == library.get_vocab()
    assert [list(pair) for pair in ours.merges] == LibraryJson(library).merges
    assert len(ours.vocab) == 900


class LibraryJson:
    def __init__(self, tokenizer: LibraryTokenizer) -> None:
        import json

        self.merges = json.loads(tokenizer.to_str())["model"]["merges"]


def test_ties_go_to_the_smaller_ids():
    # "ab" and "cd" are equally frequent, and so are all pairs of "xyz"
    ours = train_bpe(["cd ab", "zyx"], 262)
    library = library_bpe(["cd ab", "zyx"], 262)
    assert [list(pair) for pair in ours.merges] == LibraryJson(library).merges
    assert ours.merges[0] == ("a", "b")


def test_a_thousand_random_strings_encode_as_the_library_does_and_come_back(ours, library):
    for text in random_strings(1000):
        ids = ours.encode(text)
        assert ids == library.encode(text).ids, repr(text)
        assert ours.decode(ids) == text


def test_every_byte_has_a_letter_of_its_own():
    letters = byte_letters()
    assert len(set(letters)) == 256
    assert set(letters) == set(pre_tokenizers.ByteLevel.alphabet())
    assert letters[32] == "Ġ"
    assert letters[10] == "Ċ"


def test_saved_tokenizer_is_read_by_us_and_by_the_library(ours, tmp_path):
    ours.save(tmp_path)
    again, library = load_tokenizer(tmp_path), LibraryTokenizer.from_file(str(tmp_path / "tokenizer.json"))
    text = f" The wolf's 7 kids …\n\n{END_OF_TEXT}'Ah!' 🐺"
    assert again == ours
    assert again.encode(text) == ours.encode(text) == library.encode(text).ids
    assert library.decode(library.encode(text).ids, skip_special_tokens=False) == text


def test_training_stops_when_no_pair_is_left():
    assert train_bpe(["ab"], 5000).merges == (("a", "b"),)
    assert library_bpe(["ab"], 5000).get_vocab_size() == len(train_bpe(["ab"], 5000).vocab)


def test_part_of_a_character_decodes_to_the_replacement_character(ours):
    wolf = train_bpe([], 257).encode("🐺")
    assert len(wolf) == 4
    assert ours.decode(wolf[:3]) == "\ufffd"


def test_errors_name_the_value(ours):
    with pytest.raises(ValueError, match="257"):
        train_bpe(TEXTS, 100)
    with pytest.raises(ValueError, match=r"900 .* 0 to 899"):
        ours.decode([3, 900])
    with pytest.raises(ValueError, match="surrogate"):
        ours.encode("half: \ud83d")
