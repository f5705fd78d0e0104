"""How the notebook becomes pages, in two stages with a narrow border.

First stage, plain Markdown and files (`contents.py` says what a build knows; `llmnotes export DIR` ends here):
    writing.py     every page and file of the notebook, by its address
    lab_page.py    a lab and its run as Markdown, through mkdocs-jupyter's converter
    calls.py       what pages write as `{{ calls }}`: bound numbers, lists, figures
    templates.py   the templates (templates/*.jinja), and how text is kept inside its block

Second stage, MkDocs and its theme:
    plugin.py      the MkDocs plugin, which hands the first stage's pages and files to MkDocs
    finishing.py   what is done to a page's HTML; maths.py, code_links.py and search_text.py are parts of it
    cache.py       rendered pages are kept between builds; serving.py makes one page again when its prose was edited
    offline.py, social.py, stylesheet.py, theme/
"""
