"""What cells put out, as a run stores it: clean text of bounded length, and what the lab said in a checked form."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Annotated, Any, Literal

from nbformat import NotebookNode
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from llmnotes.lab.predictions import holds
from llmnotes.lab.saying import MIME, NAME

LONGEST = 20_000  # characters of text that one cell may leave on its page
SAID = ("record", "labels", "prediction", "question", "figure")
# Escape sequences of terminals, then what neither XML nor a reader can take
_UNCLEAN = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"
)


class _Said(BaseModel):
    """Something that a cell put out; fields that we do not know go through."""

    model_config = ConfigDict(extra="allow", strict=True)


Name = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
Tolerance = Annotated[FiniteFloat, Field(ge=0)]


def _condition(text: str) -> str:
    holds(0.0, text)
    return text


Condition = Annotated[str, AfterValidator(_condition)]


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
    if_: Condition


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


class _Settled(_Said):
    name: Name
    if_: Condition


class _Question(_Said):
    kind: Literal["question"]
    question: str
    answer: str
    figure: Name
    curve: dict | None
    settled: list[_Settled]


class _Text(_Said):
    kind: Literal["text", "markdown"]
    text: str


class _Labels(_Said):
    kind: Literal["labels"]


_Output = Annotated[_Value | _Prediction | _Figure | _Question | _Text | _Labels, Field(discriminator="kind")]


class Results(BaseModel):
    """What a run's results.json holds: the outputs of each code cell, none of which refers to what is not there."""

    cells: list[list[_Output]]

    @model_validator(mode="after")
    def _fit_together(self) -> Results:
        said = [out for cell in self.cells for out in cell]
        values = {out.name: out.value for out in said if isinstance(out, _Value)}
        figures = {out.name: out for out in said if isinstance(out, _Figure)}
        for out in said:
            if isinstance(out, _Prediction) and out.resolved_by not in values:
                raise ValueError(
                    f"the prediction {out.claim!r} waits for {out.resolved_by!r}, which the lab never recorded; "
                    f"it recorded: {', '.join(sorted(values)) or 'nothing'}"
                )
        if not values:
            raise ValueError("records nothing; call note(name=value) for each number it stands for")
        for out in said:
            if isinstance(out, _Question):
                try:
                    _check_question(out, values, figures)
                except ValueError as error:
                    raise ValueError(f"the question {out.question!r} {error}") from None
        return self


def _check_question(asked: _Question, values: dict, figures: dict[str, _Figure]) -> None:
    """Refuse a question to the reader whose answer this run does not bear out, or whose figure it never drew."""
    if asked.figure not in figures:
        raise ValueError(f"is settled by the figure {asked.figure!r}, which the lab never drew")
    arrays = figures[asked.figure].arrays
    if asked.curve and asked.answer not in arrays:
        raise ValueError(f"needs the array {asked.answer!r}; the figure {asked.figure!r} has {', '.join(arrays)}")
    for one in asked.settled:
        if one.name not in values:
            raise ValueError(f"waits for {one.name!r}, which the lab never recorded")
        if not holds(values[one.name], one.if_):
            raise ValueError(
                f"has the answer {asked.answer!r}, which needs {one.name} {one.if_}: it is {values[one.name]!r}"
            )


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
