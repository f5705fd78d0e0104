"""Exercises with a blank to fill: a fenced block ```exercise of YAML with the fields below, answered on the page.

The page compares what the reader types with `right` and with the known mistakes, spaces and quotes aside. Without
JavaScript the solution is there behind its fold. Lab 01 has one to copy.
"""

from __future__ import annotations

import json

from pydantic import Field

from llmnotes.site.pages.templates import render
from llmnotes.site.run.fields import Fields

BLANK = "▢"


class Exercise(Fields):
    """The fields of an exercise."""

    title: str = Field(description="what is to be made, as an imperative")
    minutes: int = Field(gt=0, description="how many minutes it takes, 1 or more")
    code: str = Field(pattern=f"^[^{BLANK}]*{BLANK}[^{BLANK}]*$", description=f"the code, with one {BLANK} to fill")
    right: list[str] = Field(min_length=1, description="a list of what fills the blank rightly")
    praise: str = Field(description="what a right answer does")
    wrong: dict[str, str] = Field({}, description="known mistakes, and what each of them does")
    otherwise: str = Field(description="what to say to any other answer: a hint, never only 'wrong'")
    solution: str = Field(description="one or two sentences behind a fold")


def form(fields: str) -> str:
    """An exercise, its fields in YAML, as a form."""
    exercise = Exercise.check(fields, "this exercise is not understood")
    answers = exercise.model_dump(include={"right", "wrong", "praise", "otherwise"})
    code, data = exercise.code.split(BLANK), json.dumps(answers, ensure_ascii=False)
    return render("exercise.html.jinja", exercise=exercise, code=code, answers=data)
