"""Bound numbers: `{{ result(…) }}` in pages."""

from __future__ import annotations

import pytest
from conftest import Notebook

from llmnotes.site.errors import NotebookError, near
from llmnotes.site.notebook.quotes import calls, expand, look_up, shown


def said(name: str, spec: str = "") -> str:
    return f"<{name}|{spec}>"


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ('a {{ result("x.y") }} b', "a <x.y|> b"),
        ('{{result("x.y", ".0%")}}{{ result(name="x.z", spec="d") }}', "<x.y|.0%><x.z|d>"),
        ('`{{ result("x.y") }}`', '`{{ result("x.y") }}`'),
        ('``a ` {{ result("x.y") }}``', '``a ` {{ result("x.y") }}``'),
        ('```\n{{ result("x.y") }}\n```\n{{ result("x.y") }}', '```\n{{ result("x.y") }}\n```\n<x.y|>'),
        ('    ````\n    {{ result("x.y") }}\n    ````', '    ````\n    {{ result("x.y") }}\n    ````'),
        ("{ not a call } and }}", "{ not a call } and }}"),
        ('one ` alone\n\n`code`, {{ result("x.y") }}', "one ` alone\n\n`code`, <x.y|>"),
        ('one ` alone, `code`, {{ result("x.y") }}', "one ` alone, `code`, <x.y|>"),
        (r'a \` and {{ result("x.y") }} and `code`', r"a \` and <x.y|> and `code`"),
        ('$W_{{OV}} = {{ result("x.y") }}$', "$W_{{OV}} = <x.y|>$"),
        ('$$W_{{OV}}$$ and $5, {{ result("x.y") }}', "$$W_{{OV}}$$ and $5, <x.y|>"),
    ],
)
def test_calls_are_replaced_outside_code(text: str, becomes: str) -> None:
    assert expand(text, {"result": said}, "page.md") == becomes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n{{ result(", "page.md:2: '{{' is not closed"),
        ("one ` alone\n\nand {{", "page.md:3: '{{' is not closed"),
        ("{{ x }}", "page.md:1: '{{ x }}' is not understood"),
        ("\n\n{{ result( }}", "page.md:3: "),
        ("{{ result(open('x')) }}", "is not understood"),
        ("{{ __import__('os').system('x') }}", "is not understood"),
        ('{{ resutl("x") }}', "unknown function 'resutl'; did you mean 'result'?"),
        ("{{ result() }}", "missing 1 required positional argument"),
    ],
)
def test_what_is_not_understood_is_named(text: str, message: str) -> None:
    with pytest.raises(NotebookError) as caught:
        expand(text, {"result": said}, "page.md")
    assert message in str(caught.value)


def test_calls_are_counted_outside_code() -> None:
    assert calls('{{ result("a.b") }} `{{ result("a.b") }}` {{ entries("x") }}', "result") == 1


def test_values_are_looked_up(recorded: Notebook) -> None:
    lab = recorded.project.labs()[0]
    runs = {"tiny": (lab, recorded.project.recorded(lab)), "empty": (lab, None)}
    assert look_up("tiny.share", runs)[2] == 0.25
    for name, message in (
        ("tiny", "expected 'lab.value'"),
        ("tinny.share", "lab 'tinny': no such lab; did you mean 'tiny'?"),
        ("tiny.shore", "value of 01_tiny 'shore': no such value; did you mean 'share'?"),
        ("tiny.zzz", "there are: answer, share"),
        ("empty.x", "has no run to quote from"),
    ):
        with pytest.raises(NotebookError) as caught:
            look_up(name, runs)
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (0.25, ".0%", "25%"),
        (0.123456, "", "0.123"),
        (1234, "", "1234"),
        (1234, ",", "1,234"),
        (-0.5, ".1f", "−0.5"),
        (True, "", "yes"),
        (1e-5, ".0e", "1e-05"),
    ],
)
def test_values_are_shown(value, spec: str, text: str) -> None:
    assert shown(value, spec) == text


def test_a_bad_format_is_named() -> None:
    with pytest.raises(NotebookError, match="the format 'x!' is not understood"):
        shown(0.5, "x!")


def test_near_names() -> None:
    assert near("a", []) == "; there are none yet"
