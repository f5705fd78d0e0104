"""Exercises with a blank to fill, written as a fenced block of YAML and answered on the page.

    ```exercise
    title: Look at the first word
    minutes: 2
    code: |
      scores = torch.zeros(n, n)
      scores[▢] = 50
      assert scores.softmax(-1)[:, 0].min() > 0.99
    right: [":, 0", "..., 0"]
    praise: Every row now puts its weight on column 0.
    wrong:
      "0": This sets the first row. Which axis is the word that is looked at?
    otherwise: "`weights[:, 0]` is still small. Rows look, columns are looked at."
    solution: "`scores[:, 0] = 50` raises the first column."
    ```

The page compares what the reader types with `right` and with the known mistakes, spaces and quotes aside. Without
JavaScript the solution is there behind its fold.
"""

from __future__ import annotations

import json
import re

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from llmnotes.site.errors import NotebookError
from llmnotes.site.pages.templates import render

BLANK = "▢"
_FENCE = re.compile(r"^```exercise\n(?P<body>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


class Exercise(BaseModel):
    """The fields of an exercise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(description="what is to be made, as an imperative")
    minutes: int = Field(gt=0, description="how long it takes")
    code: str = Field(description=f"the code, with one {BLANK} where the reader types")
    right: list[str] = Field(min_length=1, description="what fills the blank rightly")
    praise: str = Field(description="what a right answer does")
    wrong: dict[str, str] = Field(default_factory=dict, description="known mistakes, and what each of them does")
    otherwise: str = Field(description="what to say to any other answer: a hint, never only 'wrong'")
    solution: str = Field(description="one or two sentences behind a fold")

    @model_validator(mode="after")
    def _has_one_blank(self) -> Exercise:
        if self.code.count(BLANK) != 1:
            raise ValueError(f"code has {self.code.count(BLANK)} blanks ({BLANK}); expected one")
        return self


def expand_exercises(markdown: str, where: str, line: int = 1) -> str:
    """Replace each exercise of a page by its form.

    Args:
        markdown: the page, or a part of it.
        where: its source, as errors name it.
        line: of the source on which the Markdown begins.

    Raises:
        NotebookError: a block is no YAML, or a field is missing or unknown; the message names the page and the line.
    """

    def replace(found: re.Match) -> str:
        try:
            exercise = Exercise.model_validate(yaml.safe_load(found["body"]))
        except (yaml.YAMLError, ValidationError) as error:
            first = line + markdown.count("\n", 0, found.start())
            raise NotebookError(f"{where}:{first}: this exercise is not understood: {error}") from error
        return _form(exercise)

    return _FENCE.sub(replace, markdown)


def _form(exercise: Exercise) -> str:
    before, after = exercise.code.rstrip().split(BLANK)
    answers = exercise.model_dump(include={"right", "wrong", "praise", "otherwise"})
    return render(
        "exercise.html.jinja",
        exercise=exercise,
        before=before,
        after=after,
        width=max(6, *map(len, exercise.right)) + 2,
        answers=json.dumps(answers, ensure_ascii=False),
    )
