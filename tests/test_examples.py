"""The example at the top of each module runs and prints what it says; importing the package costs next to nothing."""

import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = [
    *("architectures", "attribution", "explore", "figures", "heads", "hooks", "inputs", "interventions", "lens"),
    *("patching", "paths", "probing", "propagate", "sae", "steering", "trace"),
]


@pytest.mark.parametrize("name", MODULES)
def test_the_example_of_a_module_runs(name):
    module = importlib.import_module(f"llmnotes.{name}")
    result = doctest.testmod(module)
    assert result.attempted >= 3
    assert result.failed == 0
    example = doctest.DocTestParser().get_examples(module.__doc__)
    assert sum(line.source.count("\n") for line in example) <= 13


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_an_api_page(name):
    assert f"::: llmnotes.{name}" in (ROOT / "docs" / "api" / f"{name}.md").read_text()


def test_importing_the_package_loads_neither_torch_nor_transformers():
    code = "import sys, llmnotes; print(sorted({'torch', 'transformers', 'matplotlib', 'sklearn'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
