"""A lab to begin from: it runs, records, predicts and draws, so that only its content is missing."""

from __future__ import annotations

from pathlib import Path

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.labs import STEM
from llmnotes.site.run.store import Project

TEMPLATE = """# ---
# title: {title}
# question: How often does a fair coin show at least 60 heads in 100 throws?
# level: beginner
# chapter: Start
# models: []
# needs: []
# tags: [template]
# thumbnail: heads
# ---

# %% [markdown]
# Begin with the question in plain words, and with why the answer matters.
#
# ## What you need to know
#
# Explain everything that the experiment uses. Maths is written as $p = 1/2$.
#
# ## Predict first
#
# Write down what you expect, with a probability, before you run anything.

# %%
from llmnotes.lab import figure, in_words, predict, within

predict("60 heads or more come up in less than 1 throw of 20", 0.6, rare="< 0.05")

# %% [markdown]
# !!! question "Before you read on"
#     What would you expect, and why?
#
# ## The experiment
#
# Say what each cell is for. We throw 100 coins ten thousand times.

# %%
import numpy as np

throws = np.random.default_rng(0).integers(0, 2, size=(10_000, 100))
heads = throws.sum(axis=1)
rare = np.mean(heads >= 60)
note = within(atol=0.005, because="10,000 throws: the standard error is 0.0017, and we allow three of them")
note(rare=rare)

# %% [markdown]
# ## The result
#
# A figure shows the result beside its control: here a coin that lands on heads 11 times in 20.

# %%
from llmnotes.lab import plots

biased = np.random.default_rng(1).binomial(100, 0.55, size=10_000)
bins = np.arange(30, 76)
fig, ax = plots.subplots()
ax.stairs(np.histogram(heads, bins)[0], bins, label="fair coin")
ax.stairs(np.histogram(biased, bins)[0], bins, label="control: 11 in 20")
ax.set(xlabel="heads in 100 throws", ylabel="times in 10,000")
ax.legend()
figure(
    fig,
    name="heads",
    alt="The fair coin rarely reaches 60 heads; the biased one often does.",
    data={{"fair": np.histogram(heads, bins)[0], "biased": np.histogram(biased, bins)[0]}},
)

# %% [markdown]
# It happened in {{{{ result("{key}.rare", ".1%") }}}} of all cases.
#
# ## What surprised us
#
# Say what you did not expect, or what failed.
#
# ## Try it yourself
#
# **How does the number of throws matter?** (easy, 5 minutes) Throw 1,000 coins instead of 100.
#
# ??? tip "Hint"
#     The spread grows with the square root of the number of throws.

# %% tags=["solution"]
more = np.random.default_rng(2).binomial(1000, 0.5, size=10_000)
assert np.mean(more >= 600) < rare

# %% [markdown]
# ## What this does not show
#
# Say where the result ends.

# %% tags=["labels"]
in_words(rare="Throws with at least 60 heads, share")
"""


def new_lab(project: Project, name: str) -> Path:
    """Write the skeleton under the next free number, and return its path.

    Raises:
        NotebookError: the name is malformed or taken, there is no notebook here, or nothing can be written.
    """
    if not project.labs_folder.is_dir():
        raise NotebookError(f"{project.root}: no notebook here (no labs/ folder with a mkdocs.yml beside it)")
    stems = {path.stem for path in project.labs_folder.glob("[0-9][0-9]_*.py")}
    number = max((int(stem[:2]) for stem in stems), default=0) + 1
    stem = f"{number:02d}_{name}"
    if not STEM.fullmatch(stem):
        raise NotebookError(f"the name is {name!r}; expected lower-case words joined by underscores: residual_stream")
    if any(stem[3:] == name for stem in stems):
        raise NotebookError(f"there is a lab called {name!r} already; choose another name")
    path = project.labs_folder / f"{stem}.py"
    try:
        path.write_text(TEMPLATE.format(title=name.replace("_", " ").capitalize(), key=name), encoding="utf-8")
    except OSError as error:
        raise NotebookError(f"{path}: cannot be written ({error.strerror})") from error
    return path
