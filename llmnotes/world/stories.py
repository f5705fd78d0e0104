"""Stories of the language in the form that a model reads them in.

Examples:
    >>> from llmnotes.world import read
    >>> ids, stories = read(seed=5, n=2, length=8)
    >>> ids.shape
    torch.Size([2, 8])
    >>> " ".join(token.word for token in stories[0])[:24]
    '<|endoftext|> Klara smil'
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count

import torch
from torch import Tensor

from llmnotes.world.grammar import Token, story_ids, tell
from llmnotes.world.lexicon import IDS

TRAIN_SEED, VALID_SEED, TEST_SEED = 1, 2, 3  # rows of stories


def read(seed: int, n: int, length: int) -> tuple[Tensor, list[list[Token]]]:
    """Read the first n stories of a seed that are long enough, cut to one length.

    Models were trained on seed 1 alone, so every other seed's stories are held out. Gives their ids, (n, length), the
    start token counted, and the same tokens with the hidden variables behind each. Most stories have more than 128.

    Raises:
        ValueError: fewer than one story or token is asked for, or stories that long are too rare to find.
    """
    if n < 1 or length < 1:
        raise ValueError(f"read: n is {n} and length is {length}; expected 1 or more of both")
    stories: list[list[Token]] = []
    for number in count():
        if len(stories) == n:
            break
        if number >= 20 * n + 100:
            raise ValueError(f"read: {len(stories)} of the first {number} stories have {length} tokens; ask for fewer")
        if len(story := tell(seed, number)) >= length:
            stories.append(story[:length])
    return torch.tensor([[IDS[token.word] for token in story] for story in stories]), stories


def word_ids(words: str | Iterable[str]) -> Tensor:
    """The ids of a text's words, or of a list of words; KeyError for a word that the language does not have."""
    return torch.tensor([IDS[word] for word in (words.split() if isinstance(words, str) else words)])


def held_out(seed: int, n: int) -> list[list[Token]]:
    """The first n stories of a seed."""
    return [tell(seed, number) for number in range(n)]


def story_batches(n_ctx: int, batch_size: int, seed: int = TRAIN_SEED) -> Callable[[int], tuple[Tensor, Tensor]]:
    """Batches of fresh stories, each in a row of its own, cut at n_ctx; behind a story's end nothing is scored."""

    def batch(step: int) -> tuple[Tensor, Tensor]:
        rows = torch.full((batch_size, n_ctx + 1), -100)
        for i, row in enumerate(rows):
            ids = story_ids(seed, step * batch_size + i, n_ctx + 1)
            row[: len(ids)] = torch.tensor(ids)
        return rows[:, :-1].clamp(min=0), rows[:, 1:]

    return batch
