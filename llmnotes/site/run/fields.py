"""Front matter and headers: YAML in, checked fields out, and for each fault one line that says what was expected."""

from __future__ import annotations

import reprlib
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from llmnotes.site.errors import NotebookError, near

_ON_A_PAGE = r"^[^\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufffe\uffff]*$"  # without characters that no page can hold
Text = Annotated[
    str,
    StringConstraints(min_length=1, pattern=_ON_A_PAGE),
    AfterValidator(lambda text: " ".join(text.split())),
]
Names = Annotated[tuple[Text, ...], Field(strict=False)]  # YAML has lists, and what is frozen has tuples


_cut = reprlib.Repr()  # says what a field holds, cut where it is long
_cut.maxstring = _cut.maxother = 200


class Fields(BaseModel):
    """Fields as a file states them: a field's description says what it must hold, to contributors and in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, str_strip_whitespace=True)

    @classmethod
    def table(cls) -> str:
        """A Markdown table of the fields and what they hold."""
        rows = [f"| `{name}` | {field.description} |" for name, field in cls.model_fields.items() if field.description]
        return "\n".join(["| field | holds |", "| --- | --- |", *rows])


AnyFields = TypeVar("AnyFields", bound=Fields)


class _Plain(yaml.SafeLoader):
    """YAML without aliases, a few lines of which can stand for gigabytes, and without fields given twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it refers to an alias (*name); write the value out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := [name for name in names if names.count(name) > 1]:
            raise yaml.YAMLError(f"{twice[0]!r} is there twice")
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> dict[str, Any]:
    """The fields of a YAML block.

    Raises:
        ValueError: it is not valid, or holds something else.
    """
    try:
        fields = yaml.load(text, _Plain)  # a safe loader
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:  # a day such as 2026-02-31, a list as key
        raise ValueError(f"not valid YAML: {error}") from error
    if not isinstance(fields, dict):
        raise ValueError(f"it holds {_cut.repr(fields)}; expected lines `key: value`")
    return fields


def check(
    model: type[AnyFields], fields: dict[str, Any], where: str, context: dict[str, Any] | None = None, **more: Any
) -> AnyFields:
    """Make a model of the fields that a file states, and of more that it does not, such as its path.

    `context` is what the model's own checks need to know.

    Raises:
        NotebookError: the first fault: where, the field, what it holds, what was expected.
    """
    stated = {name for name, field in model.model_fields.items() if field.description}
    for name in fields:
        if name not in stated:
            raise NotebookError(f"{where}: unknown field {_cut.repr(name)}{near(str(name), stated)}")
    try:
        return model.model_validate(fields | more, context=context)
    except ValidationError as error:
        fault = error.errors()[0]
    if fault["type"] == "value_error":  # a check of ours, which says everything itself
        raise NotebookError(f"{where}: {fault['ctx']['error']}")
    name = str(fault["loc"][0])
    expected = model.model_fields[name].description
    if fault["type"] == "missing":
        raise NotebookError(f"{where}: {name!r} is missing; expected {expected}")
    raise NotebookError(f"{where}: {name} is {_cut.repr(fields[name])}; expected {expected}")
