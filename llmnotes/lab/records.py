"""What a lab says about itself: numbers, figures and predictions.

The same three calls work everywhere. In a plain script or a notebook of your own each prints one quiet line. When the
runner of this project executes the lab, they also leave what they were given in the run, from which the pages quote.

    predict("Three hidden units solve XOR more often than not", p=0.7, resolved_by="solved", if_="> 0.5")
    record("solved", 0.63, atol=0.05, because="200 seeds: one standard error is 0.035")
    figure(fig, name="losses", alt="The loss falls in three of four runs; the fourth stays at ln 2.")
"""

from __future__ import annotations

import math
import numbers
import operator
import os
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

__all__ = ["Prediction", "Record", "depends_on", "figure", "holds", "predict", "record"]

MIME = "application/vnd.llmnotes.{}+json"  # how a run's notebook carries what was said
NAME = re.compile(r"[a-z][a-z0-9_]*")

# A lab's figure is drawn about a thousand pixels wide: what moves less than this share of its range cannot be seen.
FIGURE_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Record:
    """One recorded number: what was measured, how far it may move, and why that far."""

    name: str
    value: float | int | bool
    rtol: float
    atol: float
    because: str
    unit: str


@dataclass(frozen=True)
class Prediction:
    """A claim with its probability, and the recorded value that settles it."""

    claim: str
    p: float
    resolved_by: str
    if_: str


_records: dict[str, Record] = {}
_predictions: dict[str, Prediction] = {}
_figures: set[str] = set()


def record(
    name: str,
    value: float | int | bool,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    because: str | None = None,
    unit: str = "",
) -> None:
    """Record a number under a name, so that pages can quote it and the tests can check it.

    Args:
        name: lower-case words joined by underscores, unique within the lab.
        value: a Python or NumPy number. Whole numbers and truth values must come out the same again.
        rtol: how far the value may move on another machine, as a share of it. A float needs this or `atol`.
        atol: how far it may move in its own unit; the two add up, as in `numpy.isclose`.
        because: why that far. A tolerance without a reason is refused.
        unit: shown behind the value, such as `nats` or `s`.

    Raises:
        TypeError: the value is not a single number (a tensor, say).
        ValueError: it is NaN or infinite, the name is taken or malformed, or a tolerance or its reason is missing.
    """
    _check_name("record", name, _records)
    where = f"record({name!r})"
    value = _number(where, value)
    for label, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance is not None and not (isinstance(tolerance, numbers.Real) and 0 <= tolerance < math.inf):
            raise ValueError(f"{where}: {label} is {tolerance!r}; expected a number, 0 or larger")
    if isinstance(value, float) and rtol is None and atol is None:
        raise ValueError(
            f"{where}: {value!r} is a float without a tolerance; say how far it may move on another machine "
            "(rtol= or atol=) and why (because=)"
        )
    if (rtol or atol) and not (because and because.strip()):
        raise ValueError(f"{where}: a tolerance needs its reason; add because='…'")
    _records[name] = entry = Record(name, value, float(rtol or 0), float(atol or 0), because or "", unit)
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    _say("record", asdict(entry), f"{name} = {text}" + (f" {unit}" if unit else ""))


def predict(claim: str, *, p: float, resolved_by: str, if_: str) -> None:
    """Write a claim down before its experiment, with the probability that it will turn out true.

    Args:
        claim: one sentence that can turn out true or false.
        p: the probability given to it, between 0 and 1.
        resolved_by: the name of the value, recorded later in the same lab, that settles it.
        if_: when it is true: a comparison such as `"> 0.5"`, `"<= 3"`, `"== 4"` or `"between 0.2 and 0.4"`. It is text
            so that the page can show it.

    Raises:
        ValueError: the probability or the comparison is malformed, or the value is on record already.
    """
    where = f"predict({claim!r})"
    if not claim.strip():
        raise ValueError("predict: the claim is empty; write one sentence that can turn out true or false")
    if isinstance(p, bool) or not isinstance(p, numbers.Real) or not 0 <= p <= 1:
        raise ValueError(f"{where}: p is {p!r}; expected a probability between 0 and 1")
    holds(0.0, if_)
    if resolved_by in _records and not _replayed():
        raise ValueError(f"{where}: {resolved_by!r} is on record already; predict before the experiment")
    entry = Prediction(claim.strip(), float(p), resolved_by, if_)
    _predictions[entry.claim] = entry
    _say("prediction", asdict(entry), f"predicted with p = {p:g}: {claim.strip()}")


def holds(value: float, condition: str) -> bool:
    """Whether a value meets a comparison written as text: `"> 0.5"`, `"== 4"`, `"between 0.2 and 0.4"` (inclusive).

    Raises:
        ValueError: the comparison is malformed.
    """
    number = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    if found := re.fullmatch(rf"\s*(>=|<=|==|>|<)\s*{number}\s*", condition):
        compare = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq}
        return compare[found[1]](value, float(found[2]))
    if found := re.fullmatch(rf"\s*between\s+{number}\s+and\s+{number}\s*", condition):
        return float(found[1]) <= value <= float(found[2])
    raise ValueError(f"the condition is {condition!r}; expected '> 0.5', '>=', '<', '<=', '==' or 'between 1 and 2'")


def figure(
    fig: Figure,
    *,
    name: str,
    alt: str,
    caption: str = "",
    data: Mapping[str, ArrayLike] | None = None,
    rtol: float | None = None,
    because: str | None = None,
) -> None:
    """Put a matplotlib figure on the page, for light and for dark, with the arrays that it shows beside it.

    A figure is checked by its arrays and not by its pixels. They are read from lines, points, bars and images; give
    `data` where something else carries the message.

    Args:
        fig: the figure; it is closed afterwards.
        name: lower-case words joined by underscores, unique within the lab.
        alt: what the figure shows, for those who do not see it: the message first. It cannot be left out.
        caption: one or two sentences under the figure.
        data: arrays by name, instead of those found in the figure.
        rtol: how far a point may move, as a share of its array's range; by default what cannot be seen (0.001).
        because: why further than that.

    Raises:
        ValueError: no alt text, no data to check the figure by, a name taken or malformed, an `rtol` without a reason.
    """
    _check_name("figure", name, _figures)
    where = f"figure({name!r})"
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"{where}: alt is {alt!r}; say in a sentence what the figure shows to those who do not see it")
    if rtol is not None and not (because and because.strip()):
        raise ValueError(f"{where}: a tolerance needs its reason; add because='…'")

    import matplotlib.pyplot as plt

    from llmnotes.lab import plots

    arrays = plots.shown_arrays(fig) if data is None else plots.checked_arrays(data)
    if not arrays:
        raise ValueError(f"{where}: found no lines, points, bars or images to check it by; pass data={{'name': array}}")
    _figures.add(name)
    width, height = (round(float(inches) * 96) for inches in fig.get_size_inches())  # CSS pixels: 96 to the inch
    entry = {
        "name": name,
        "alt": " ".join(alt.split()),
        "caption": " ".join(caption.split()),
        "width": width,
        "height": height,
        "rtol": FIGURE_TOLERANCE if rtol is None else float(rtol),
        "because": because or "less than a pixel of the drawn figure",
        "arrays": sorted(arrays),
    }
    if folder := os.environ.get("LLMNOTES_RUN"):
        plots.save(fig, Path(folder) / "figures" / name, arrays)
    elif _in_notebook():
        from IPython.display import display

        display(fig)
    plt.close(fig)
    _say("figure", entry, f"figure {name}: {width} × {height}, {len(arrays)} arrays")


def depends_on(path: str | Path) -> None:
    """Tell the run that its results depend on a file or folder that was read past Python (a checkpoint, say).

    Python's own reads below the project are noticed without this.
    """
    sys.audit("llmnotes.reads", str(Path(path).resolve()))


def _number(where: str, value: Any) -> float | int | bool:
    if (
        hasattr(value, "shape")
        and not isinstance(value, numbers.Number)
        and type(value).__name__ not in ("bool", "bool_")
    ):
        raise TypeError(
            f"{where} got a {type(value).__name__} of shape {tuple(value.shape)}; "
            "expected one number, such as value.item()"
        )
    if type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if not isinstance(value, numbers.Real):
        raise TypeError(f"{where} got {value!r} ({type(value).__name__}); expected one number")
    if not math.isfinite(value):
        raise ValueError(f"{where} got {float(value)!r}; expected a finite number: find out where it comes from")
    return float(value)


def _check_name(kind: str, name: str, taken: Any) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"{kind}: the name is {name!r}; expected lower-case words joined by underscores")
    if name in taken and not _replayed():
        raise ValueError(f"{kind}({name!r}): this name is taken; each {kind} of a lab needs a name of its own")


def _in_notebook() -> bool:
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None


def _replayed() -> bool:
    """In a notebook of one's own a cell may be run again; in a script or a run of ours, a name comes once."""
    return "LLMNOTES_RUN" not in os.environ and _in_notebook()


def _say(kind: str, entry: dict[str, Any], line: str) -> None:
    if "LLMNOTES_RUN" in os.environ:
        from IPython.display import publish_display_data

        publish_display_data({MIME.format(kind): entry, "text/plain": line})
    else:
        print(line)
