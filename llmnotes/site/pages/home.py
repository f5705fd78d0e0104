"""What home shows: the record of our predictions as a picture, labs and findings as cards with their thumbnails."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape
from pathlib import Path

from llmnotes.site.pages.contents import Contents, Place, lab_uri
from llmnotes.site.pages.drawings import picture


def track_record(pairs: Iterable[tuple[float, bool]]) -> str:
    """Every prediction as one mark, in a column by its probability: above the line if it came true, below if not.

    Args:
        pairs: the probability of each claim, and whether it came true.

    Returns:
        A figure in HTML. Under each column stand the mean probability and the share that came true.
    """
    columns: dict[int, list[tuple[float, bool]]] = {}
    for p, outcome in pairs:
        columns.setdefault(min(9, int(10 * p)), []).append((p, outcome))
    parts, words, deepest = [], [], 3
    for at, tenth in enumerate(sorted(columns)):
        some = columns[tenth]
        true = sum(outcome for _, outcome in some)
        said, share = sum(p for p, _ in some) / len(some), true / len(some)
        left = 4 + 32.5 * at
        for i in range(true):
            parts.append(f'<circle class="yes" cx="{left + 7 * (i % 4):g}" cy="{84 - 7 * (i // 4)}" r="2.7"/>')
        crosses = "".join(
            f"M{left + 7 * (i % 4) - 2.2:g} {95 + 7 * (i // 4)}l4.4 4.4m0-4.4l-4.4 4.4" for i in range(len(some) - true)
        )
        if crosses:
            parts.append(f'<path class="cross" d="{crosses}"/>')
        deepest = max(deepest, math.ceil((len(some) - true) / 4))
        parts.append(f'<text class="g" x="{left + 10.5:g}" y="SAID" text-anchor="middle">{said:.0%}</text>')
        parts.append(f'<text class="b" x="{left + 10.5:g}" y="WAS" text-anchor="middle">{share:.0%}</text>')
        words.append(f"of {len(some)} held for {said:.0%} likely, {share:.0%} came true")
    highest = max((math.ceil(sum(o for _, o in some) / 4) for some in columns.values()), default=1)
    said_at, top = 110 + 7 * deepest, min(0, 84 - 7 * highest)
    right = 4 + 32.5 * len(columns) + 6
    legend = (
        f'<text class="yes" x="{right:g}" y="86">came true</text><text class="no" x="{right:g}" y="103">did not</text>'
        f'<text class="g" x="{right:g}" y="SAID">we said</text><text class="b" x="{right:g}" y="WAS">it was</text>'
    )
    drawn = f'<path class="axis" d="M0 90.5H{right - 12:g}"/>' + "".join(parts) + legend
    drawn = drawn.replace("SAID", str(said_at)).replace("WAS", str(said_at + 18))
    return (
        f'<figure class="track"><svg viewBox="0 {top} {right + 58:g} {said_at + 24 - top}" role="img" '
        f'aria-label="Predictions by the probability that we gave them: {"; ".join(words)}.">{drawn}</svg></figure>'
    )


def lab_cards(contents: Contents, place: Place, keys: Iterable[str]) -> str:
    """Labs as cards: thumbnail, number, title, question.

    Raises:
        NotebookError: no lab has one of these keys.
    """
    cards = []
    for key in keys:
        lab, _ = contents.named(key, f"lab_cards({key!r})")
        thumb = picture(_thumbs(contents), key, "xor")
        cards.append(
            f'<a href="{place.address(lab_uri(lab))}"><span class="thumb">{thumb}</span>'
            f'<h3><span class="no">{lab.number}</span>{escape(lab.title)}</h3><p>{escape(lab.question)}</p></a>'
        )
    return f'<div class="labs full">{"".join(cards)}</div>'


def finding_cards(contents: Contents, place: Place, newest: int) -> str:
    """The newest findings that stand, as cards: picture, title, claim, what it rests on."""
    cards = []
    standing = [one for one in contents.entries if one.kind == "findings" and one.status == "standing"]
    for entry in standing[:newest]:
        labs = [lab for lab in contents.labs if lab.stem in entry.labs]
        image = picture(_thumbs(contents), f"findings/{entry.path.stem}", *(lab.key for lab in labs), "xor")
        rests = "Lab " + ", ".join(lab.number for lab in labs)
        sure = f", {entry.confidence}" if entry.confidence else ""
        cards.append(
            f'<a href="{place.address(entry.uri)}"><span class="thumb">{image}</span>'
            f"<span><h3>{escape(entry.title)}</h3><p>{escape(contents.plain(entry.claim, entry.uri))}</p>"
            f'<span class="small">{rests}{sure}</span></span></a>'
        )
    return f'<div class="finds">{"".join(cards)}</div>'


def _thumbs(contents: Contents) -> Path:
    return contents.docs / "assets" / "thumbs"
