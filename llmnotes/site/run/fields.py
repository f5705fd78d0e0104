"""Front matter and headers: YAML in, checked fields out, and for each fault one line that says what was expected."""

from __future__ import annotations

import reprlib
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from llmnotes.site.errors import NotebookError, near

_ON_A_PAGE = r"^[^\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufffe\uffff]*$"  # without characters that no page can hold
_one_line = AfterValidator(lambda text: " ".join(text.split()))
Text = Annotated[str, StringConstraints(min_length=1, pattern=_ON_A_PAGE), _one_line]
Names = Annotated[tuple[Text, ...], Field(strict=False)]  # YAML has lists, and what is frozen has tuples
_cut = reprlib.Repr()  # says what a field holds, cut where it is long
_cut.maxstring = _cut.maxother = 200


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


class Fields(BaseModel):
    """Fields as a file states them: a field's description says what it must hold, to contributors and in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, str_strip_whitespace=True)

    @classmethod
    def table(cls) -> str:
        """A Markdown table of the fields and what they hold."""
        rows = [f"| `{name}` | {field.description} |" for name, field in cls.model_fields.items() if field.description]
        return "\n".join(["| field | holds |", "| --- | --- |", *rows])

    @classmethod
    def check(
        cls, fields: dict[str, Any] | str, where: str, context: dict[str, Any] | None = None, **more: Any
    ) -> Self:
        """Make one of the fields that a file states, in YAML or read already, and of more, such as its path.

        `context` is what the model's own checks need to know.

        Raises:
            NotebookError: the first fault: where, the field, what it holds, what was expected.
        """
        try:
            fields = yaml.load(fields, _Plain) if isinstance(fields, str) else fields  # a safe loader
        except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:  # 2026-02-31, or a list as key
            raise NotebookError(f"{where}: not valid YAML: {error}") from error
        if not isinstance(fields, dict):
            raise NotebookError(f"{where}: it holds {_cut.repr(fields)}; expected lines `key: value`")
        stated = {name for name, field in cls.model_fields.items() if field.description}
        for name in fields:
            if name not in stated:
                raise NotebookError(f"{where}: unknown field {_cut.repr(name)}{near(str(name), stated)}")
        try:
            return cls.model_validate(fields | more, context=context)
        except ValidationError as error:
            fault = error.errors()[0]
        if fault["type"] == "value_error":  # a check of ours, which says everything itself
            raise NotebookError(f"{where}: {fault['ctx']['error']}")
        name = str(fault["loc"][0])
        found = _cut.repr(fields[name]) if name in fields else "missing"
        raise NotebookError(f"{where}: {name} is {found}; expected {cls.model_fields[name].description}")
