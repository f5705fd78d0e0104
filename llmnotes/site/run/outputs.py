"""What cells put out, as a run stores it: clean text of bounded length, and what the lab said in a checked form."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from nbformat import NotebookNode
from pydantic import Field, PositiveInt, TypeAdapter, create_model

from llmnotes.lab import Prediction, Question, Record, holds
from llmnotes.lab.saying import MIME, NAME
from llmnotes.site.errors import near

LONGEST = 20_000  # characters of text that one cell may leave on its page
# Escape sequences of terminals, then what neither XML nor a reader can take
_UNCLEAN = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"
)


@dataclass
class _Figure:
    name: str
    alt: str
    caption: str
    width: PositiveInt
    height: PositiveInt
    rtol: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    because: str
    arrays: list[str]


_Results = create_model("Results", cells=(list[list[dict[str, Any]]], ...))
_SAID = {"record": Record, "prediction": Prediction, "question": Question, "figure": _Figure, "labels": dict[str, str]}
KINDS = {kind: TypeAdapter(form) for kind, form in (_SAID | {"text": create_model("Text", text=(str, ...))}).items()}


def check_results(content: Any) -> None:
    """Refuse results that no run holds: malformed ones, and such as refer to what is not there.

    Fields that we do not know go through.

    Raises:
        ValueError: what is wrong.
    """
    said: dict[str, list] = {kind: [] for kind in KINDS}
    for cell in _Results.model_validate(content).cells:
        for out in cell:
            if (kind := str(out.get("kind"))) not in said:
                raise ValueError(f"an output of the kind {kind!r}{near(kind, said)}")
            said[kind].append(KINDS[kind].validate_json(json.dumps(out), strict=True))
    values = {one.name: one.value for one in said["record"]}
    figures = {one.name: one for one in said["figure"]}
    if not values:
        raise ValueError("records nothing; call note(name=value) for each number it stands for")
    for name in (*values, *figures):
        if not NAME.fullmatch(name):
            raise ValueError(f"the name is {name!r}; expected lower-case words joined by underscores")
    for one in said["record"]:
        if not all(map(math.isfinite, (one.value, one.rtol, one.atol))) or min(one.rtol, one.atol) < 0:
            found = f"{one.name} is {one.value} with tolerances of {one.rtol} and {one.atol}"
            raise ValueError(f"{found}; expected finite numbers, and tolerances of 0 or more")
    for one in said["prediction"]:
        if not 0 <= one.p <= 1:
            raise ValueError(f"the prediction {one.claim!r} has the probability {one.p}")
    claims = [(f"the prediction {one.claim!r}", one.resolved_by, one.if_) for one in said["prediction"]]
    answers = []
    for asked in said["question"]:
        what = f"the question {asked.question!r}"
        if asked.figure not in figures:
            raise ValueError(f"{what} is settled by the figure {asked.figure!r}, which the lab never drew")
        arrays = figures[asked.figure].arrays
        if asked.curve and asked.answer not in arrays:
            raise ValueError(f"{what} needs the array {asked.answer!r}; its figure has {', '.join(arrays)}")
        answers += [(f"the answer to {asked.question!r}", one["name"], one["if_"]) for one in asked.settled]
    for what, name, condition in claims + answers:
        if name not in values:
            recorded = ", ".join(sorted(values))
            raise ValueError(f"{what} waits for {name!r}, which the lab never recorded; it recorded: {recorded}")
        if not holds(values[name], condition) and (what, name, condition) in answers:
            raise ValueError(f"{what} needs {name} {condition}: it is {values[name]!r}")


def outputs_of(cell: NotebookNode) -> list[dict]:
    """The outputs of one executed cell; what goes to stderr (progress bars, warnings) is not kept."""
    outputs: list[dict] = []
    for out in cell.outputs:
        data = out.get("data", {})
        said = [{"kind": kind, **clean(data[MIME.format(kind)])} for kind in _SAID if MIME.format(kind) in data]
        text = out.text if out.get("name") == "stdout" else data.get("text/plain", "")
        if not said and text.strip():
            said = [{"kind": "text", "text": shortened(text).rstrip("\n")}]
        outputs += said
    return outputs


def shortened(text: str, longest: int = LONGEST) -> str:
    """Clean text that ends after so many characters."""
    cut = text[: 20 * longest]  # a line that is written over and over is long before it is cleaned
    lines = (line[line.rfind("\r", 0, -1) + 1 :] for line in cut.replace("\r\n", "\n").split("\n"))
    said = clean("\n".join(lines))
    if len(said) <= longest and len(text) == len(cut):
        return said
    return f"{said[:longest]} … (cut here: {len(text):,} characters in all)"


def clean(value: Any) -> Any:
    """Text, or all texts of lists and dictionaries, without control characters and escape sequences of terminals."""
    if isinstance(value, str):
        return _UNCLEAN.sub("", value)
    if isinstance(value, dict):
        return {clean(name): clean(one) for name, one in value.items()}
    return [clean(one) for one in value] if isinstance(value, list) else value
