"""What cells put out, as a run stores it: clean text of bounded length, and what the lab said in a checked form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Annotated, Any, Literal

from nbformat import NotebookNode
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter

from llmnotes.lab.predictions import holds
from llmnotes.lab.saying import MIME, NAME
from llmnotes.site.errors import NotebookError
from llmnotes.site.run.labs import Lab

LONGEST = 20_000  # characters of text that one cell may leave on its page
SAID = ("record", "labels", "prediction", "question", "figure")
# Escape sequences of terminals, then what neither XML nor a reader can take
_UNCLEAN = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"
)


class _Said(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


Name = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
Tolerance = Annotated[FiniteFloat, Field(ge=0)]


def _condition(text: str) -> str:
    holds(0.0, text)
    return text


class _Value(_Said):
    kind: Literal["record"]
    name: Name
    value: bool | int | FiniteFloat
    rtol: Tolerance
    atol: Tolerance
    because: str
    unit: str


class _Prediction(_Said):
    kind: Literal["prediction"]
    claim: str
    p: float = Field(ge=0, le=1)
    resolved_by: Name
    after_a_look: bool = False
    if_: Annotated[str, AfterValidator(_condition)]


class _Figure(_Said):
    kind: Literal["figure"]
    name: Name
    alt: str
    caption: str
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    rtol: Tolerance
    because: str
    arrays: list[str]


class _Text(_Said):
    kind: Literal["text", "markdown"]
    text: str


class _Other(_Said):
    kind: Literal["labels", "question"]


_Output = Annotated[_Value | _Prediction | _Figure | _Text | _Other, Field(discriminator="kind")]
_CELLS = TypeAdapter(list[list[_Output]])


def checked_cells(cells: Any) -> list[list[dict]]:
    """Outputs of cells as they are, if each is as a run stores it; fields that we do not know go through.

    Raises:
        ValueError: what is not.
    """
    _CELLS.validate_python(cells)
    said = [out for cell in cells for out in cell]
    names = {out["name"] for out in said if out["kind"] == "record"}
    for out in said:
        if out["kind"] == "prediction" and out["resolved_by"] not in names:
            raise ValueError(f"a prediction waits for {out['resolved_by']!r}, which is not recorded")
    return cells


def outputs_of(cell: NotebookNode) -> list[dict]:
    """The outputs of one executed cell; what goes to stderr (progress bars, warnings) is not kept."""
    outputs: list[dict] = []
    kinds = {MIME.format(kind): kind for kind in SAID}
    for stream, parts in groupby(cell.outputs, key=lambda out: out.output_type == "stream" and out.name):
        if stream:
            text = shortened("".join(out.text for out in parts)).rstrip("\n")
            if stream == "stdout" and text.strip():
                outputs.append({"kind": "text", "text": text})
            continue
        for data in (out.get("data", {}) for out in parts):
            if mime := next((mime for mime in kinds if mime in data), None):
                outputs.append({"kind": kinds[mime], **clean(data[mime])})
            elif "text/markdown" in data:
                outputs.append({"kind": "markdown", "text": clean(data["text/markdown"])})
            elif "text/plain" in data:
                outputs.append({"kind": "text", "text": shortened(data["text/plain"])})
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


def check_said(lab: Lab, cells: Iterable[list[dict]]) -> None:
    """Refuse a run that records nothing, or in which something refers to what is not there.

    Raises:
        NotebookError: a prediction without its value, a question without its figure or answer, a thumbnail without a
            figure.
    """
    said: dict[str, list[dict]] = {kind: [] for kind in (*SAID, "text", "markdown")}
    for out in (out for cell in cells for out in cell):
        said[out["kind"]].append(out)
    values = {entry["name"]: entry["value"] for entry in said["record"]}
    for entry in said["prediction"]:
        if entry["resolved_by"] not in values:
            raise NotebookError(
                f"{lab.path}: the prediction {entry['claim']!r} waits for {entry['resolved_by']!r}, "
                f"which the lab never recorded; it recorded: {', '.join(sorted(values)) or 'nothing'}"
            )
    if not values:
        raise NotebookError(f"{lab.path}: records nothing; call note(name=value) for each number it stands for")
    figures = {entry["name"]: entry for entry in said["figure"]}
    if lab.thumbnail not in figures:
        raise NotebookError(
            f"{lab.path}: header: thumbnail is {lab.thumbnail!r}; expected one of its figures: "
            f"{', '.join(sorted(figures)) or 'it has none'}"
        )
    for entry in said["question"]:
        _check_question(lab, entry, values, figures)


def _check_question(lab: Lab, entry: dict, values: dict, figures: dict[str, dict]) -> None:
    """Refuse a question to the reader whose answer this run does not bear out, or whose figure it never drew."""
    where = f"{lab.path}: the question {entry['question']!r}"
    figure = figures.get(entry["figure"])
    if figure is None:
        raise NotebookError(f"{where} is settled by the figure {entry['figure']!r}, which the lab never drew")
    if entry["curve"] and entry["answer"] not in figure["arrays"]:
        raise NotebookError(
            f"{where}: the figure {entry['figure']!r} has no array {entry['answer']!r}; it has "
            f"{', '.join(figure['arrays'])}"
        )
    for one in entry["settled"]:
        name, condition = one["name"], one["if_"]
        if name not in values:
            raise NotebookError(f"{where} waits for {name!r}, which the lab never recorded")
        if not holds(values[name], condition):
            raise NotebookError(
                f"{where}: the answer {entry['answer']!r} needs {name} {condition}, and it is {values[name]!r}"
            )
