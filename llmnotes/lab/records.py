"""The numbers of a lab: noted under a name, with a tolerance and its reason, and labelled for readers.

In a script or notebook of your own, each prints one quiet line. In a run they also stay, and pages quote them.

Examples:
    >>> from llmnotes.lab import in_words, within
    >>> note = within(rtol=0.01, because="rounding, near ties")
    >>> note(least_growth=1.3829, first_growth=6.8301)
    least_growth = 1.3829
    first_growth = 6.8301
    >>> note(atol=0.03, unit="nats", far_lens=2.5061)  # another tolerance for the same reason
    far_lens = 2.5061 nats
    >>> note(verbs_by_attention=3)  # whole numbers and truth values must come out the same again
    verbs_by_attention = 3
    >>> in_words(least_growth="Slowest growth of the stream in a layer", first_growth="Its growth in the first layer")
"""

from __future__ import annotations

import math
import numbers
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmnotes.lab.saying import check_name, replayed, say


@dataclass(frozen=True)
class Record:
    """One noted number: what was measured, how far it may move, why that far, and what readers call it."""

    name: str
    value: float | int | bool
    rtol: float
    atol: float
    because: str
    unit: str
    label: str = ""


_records: dict[str, Record] = {}
_labels: dict[str, str] = {}


@dataclass(frozen=True)
class Note:
    """What `within` gives: call it with values by name."""

    rtol: float | None = None
    atol: float | None = None
    because: str | None = None

    def __call__(
        self,
        *,
        rtol: float | None = None,
        atol: float | None = None,
        because: str | None = None,
        unit: str = "",
        **values: Any,
    ) -> None:
        """Note numbers under their names, so that pages can quote them and the tests can check them.

        Values are Python or NumPy numbers, or tensors that hold one, by name: lower-case words joined by underscores,
        unique within the lab. A tolerance, reason or unit given here is for these values alone. Whole numbers and truth
        values must come out the same again, unless this very call gives a tolerance.

        Raises:
            TypeError: a value is not a single number.
            ValueError: it is NaN or infinite, its name is taken or malformed, or a tolerance or its reason is missing.
        """
        if not values:
            raise ValueError("note() got no value; name each by a keyword: note(share=0.63)")
        given = rtol is not None or atol is not None
        if not given:
            rtol, atol = self.rtol, self.atol
        because = self.because if because is None else because
        for name, value in values.items():
            _checked_tolerance(name, rtol, atol, because)
            number = _number(name, value)
            check_name("note", name, _records)
            if isinstance(number, float) and rtol is None and atol is None:
                raise ValueError(
                    f"note: {name} = {number!r} is a float without a tolerance; say how far it may move on another "
                    "machine and why: note = within(rtol=… or atol=…, because='…')"
                )
            exact = isinstance(number, int) and not given
            margin = (0.0, 0.0, "") if exact else (float(rtol or 0), float(atol or 0), because or "")
            _records[name] = entry = Record(name, number, *margin, unit)
            text = f"{number:.6g}" if isinstance(number, float) else str(number)
            say("record", asdict(entry), f"{name} = {text}" + (f" {unit}" if unit else ""))


def within(*, rtol: float | None = None, atol: float | None = None, because: str) -> Note:
    """Say once how far values may move on another machine, and why; note them with what comes back.

    Args:
        rtol: as a share of the value.
        atol: in the value's own unit; the two add up, as in `numpy.isclose`. With neither, each call says its own.
        because: why that far. A tolerance without a reason is refused.

    Raises:
        ValueError: a malformed tolerance, or an empty reason.
    """
    _checked_tolerance("", rtol, atol, because)
    if not because.strip():
        raise ValueError("within: because is empty; say why values may move that far")
    return Note(rtol, atol, because)


note = Note()
"""Note whole numbers and truth values, which need no tolerance."""


def in_words(**labels: str) -> None:
    """Say in a reader's words what noted values are, at the end of a lab for all of them.

    Raises ValueError for a name that was never noted or has its label, and for an empty label.
    """
    for name, text in labels.items():
        if name not in _records:
            raise ValueError(f"in_words: nothing is noted as {name!r}; labels come after the values")
        if name in _labels and not replayed():
            raise ValueError(f"in_words: {name!r} has its label already: {_labels[name]!r}")
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"in_words: {name!r} is labelled {text!r}; expected a few words")
        _labels[name] = " ".join(text.split())
    say("labels", {name: _labels[name] for name in labels}, "")


def depends_on(path: str | Path) -> None:
    """Tell the run that its results depend on a file or folder that was read past Python (a checkpoint, say).

    Of a folder its own files count, but for README.md. Python's own reads below the project are noticed without this.
    """
    sys.audit("llmnotes.reads", str(Path(path).resolve()))


def _checked_tolerance(name: str, rtol: float | None, atol: float | None, because: str | None) -> None:
    for which, tolerance in (("rtol", rtol), ("atol", atol)):
        right = isinstance(tolerance, numbers.Real) and not isinstance(tolerance, bool) and 0 <= tolerance < math.inf
        if tolerance is not None and not right:
            raise ValueError(f"note: {name or 'within'}: {which} is {tolerance!r}; expected a number, 0 or larger")
    if (rtol or atol) and not (because and because.strip()):
        raise ValueError(f"note: {name or 'within'}: a tolerance needs its reason; add because='…'")


def _number(name: str, value: Any) -> float | int | bool:
    if hasattr(value, "item") and math.prod(value.shape) == 1:
        value = value.item()  # a tensor, an array or a NumPy scalar that holds one number
    if hasattr(value, "shape"):
        raise TypeError(
            f"note: {name} is a {type(value).__name__} of shape {tuple(value.shape)}; expected one number, such as "
            "value.mean() or value[0]"
        )
    if isinstance(value, bool):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if not isinstance(value, numbers.Real):
        raise TypeError(f"note: {name} is {value!r} ({type(value).__name__}); expected one number")
    if not math.isfinite(value):
        raise ValueError(f"note: {name} is {float(value)!r}; expected a finite number: find out where it comes from")
    return float(value)
