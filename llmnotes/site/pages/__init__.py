"""How the notebook becomes pages, in two stages with a narrow border.

First plain Markdown and files, by their addresses (`writing.py`; `llmnotes export DIR` ends here): what a build knows
(`contents.py`), a lab and its run as a page (`lab_page.py`), what pages write as `{{ calls }}` (`calls.py`), and the
templates of all that (`templates/`). Then MkDocs and its theme: `plugin.py` hands MkDocs those pages and
files, `finishing.py` sees to a page's HTML, `lighter.py` and `assets.py` to what it weighs, `cache.py` keeps it,
`serving.py` makes one page anew, `theme/` dresses it.

What is not as it must be, anywhere here, is refused by a `NotebookError` that names its source, what was expected and
what comes near.
"""
