"""The example at the top of each module runs and prints what it says."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = [
    "lab.maps",
    *("model.architectures", "model.hooks", "model.inputs", "model.interventions", "model.tracing"),
    *("methods.heads", "methods.lens", "methods.probing", "methods.sae", "methods.steering"),
    *("patching.attribution", "patching.paths", "patching.propagate", "patching.subspaces", "patching.sweeps"),
]
ROOMS = [path.name for path in (ROOT / "llmnotes").iterdir() if path.is_dir() and (path / "__init__.py").is_file()]
MODULES = [
    f"{room}.{path.stem}"
    for room in sorted({*ROOMS} - {"site"})
    for path in sorted((ROOT / "llmnotes" / room).glob("*.py"))
    if path.stem != "__init__"
]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_of_a_module_runs(name):
    module = importlib.import_module(f"llmnotes.{name}")
    result = doctest.testmod(module)
    assert result.attempted >= 3
    assert result.failed == 0
    example = doctest.DocTestParser().get_examples(module.__doc__)
    assert sum(line.source.count("\n") for line in example) <= 13


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_an_api_page(name):
    assert f"::: llmnotes.{name}" in (ROOT / "docs" / "api" / f"{name.split('.')[0]}.md").read_text().splitlines()
