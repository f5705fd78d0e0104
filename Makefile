# Everything sets itself up: the first target that needs it makes .venv and installs the pinned packages.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
export NO_MKDOCS_2_WARNING := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help serve test site offline labs stress record lint clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: .venv/site-installed ## The site at http://127.0.0.1:8000/, reloading as files change (PORT=8001 for another port)
	$(BIN)/mkdocs serve --livereload --dev-addr 127.0.0.1:$(PORT)

test: .venv/test-installed ## Linters, unit tests, stale labs and a third of the others anew, the site, the browser tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadgroup --no-loadscope-reorder

site: .venv/site-installed ## Build the static site into site/
	$(BIN)/mkdocs build --strict

offline: .venv/site-installed ## Build a copy of the site into site-offline/ that opens without a server
	OFFLINE=true $(BIN)/mkdocs build --strict --site-dir site-offline

labs: .venv/site-installed ## Run every lab anew and compare it with its recorded run
	$(BIN)/llmnotes check

stress: .venv/site-installed ## Would every value stand elsewhere? Labs with an older CPU's kernels, other threads, small noise
	$(BIN)/llmnotes check --stress

record: .venv/site-installed ## Make a new run the recorded one: make record LAB=01
	@test -n "$(LAB)" || { echo "name the lab: make record LAB=01"; exit 2; }
	$(BIN)/llmnotes record $(LAB)

lint: .venv/test-installed ## Mend what the linters can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove what was made: the site, the local runs, the virtual environment
	rm -rf site site-offline .cache .venv

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else f"$(PYTHON) is Python {sys.version.split()[0]}; llmnotes needs 3.11 to 3.13: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/site-installed: .venv/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[site,real]"
	@touch $@

.venv/test-installed: .venv/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[site,real,test]"
	@touch $@ .venv/site-installed
