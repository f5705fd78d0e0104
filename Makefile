# Everything sets itself up: the first target that needs it makes .venv and installs the pinned packages.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
comma := ,
export NO_MKDOCS_2_WARNING := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help serve test site offline labs stress record lint pins audit clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: .venv/site-installed ## The site at http://127.0.0.1:8000/, reloading as files change (PORT=8001 for another port)
	$(BIN)/mkdocs serve --livereload --dev-addr 127.0.0.1:$(PORT)

test: .venv/test-installed ## Linters, unit tests, stale labs and a third of the others anew, the site, the browser tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --no-loadscope-reorder

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

pins: ## Write the lists of pinned packages anew; needs uv (UPGRADE=--upgrade: the newest releases)
	$(PYTHON) requirements/pins.py $(UPGRADE)

audit: .venv/pip-audit ## Look the pinned packages up in the lists of known vulnerabilities
	.venv/audit/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements/torch.txt --requirement requirements/test.txt

clean: ## Remove what was made: the site, the local runs, the virtual environment
	rm -rf site site-offline .cache .venv

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11, 5) <= sys.version_info < (3, 14) else f"$(PYTHON) is Python {sys.version.split()[0]}; the pinned packages need 3.11.5 to 3.13: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	@touch $@

# Packages come with the digests that requirements/ lists. torch comes first: its CPU builds, where they can be had, have an
# index of their own, which TORCH_INDEX names and which nothing else is taken from; its other builds need CUDA packages.
PINS := --quiet --require-hashes
TORCH := --no-deps $(if $(TORCH_INDEX),--extra-index-url "$(TORCH_INDEX)") --requirement requirements/torch-cpu.txt
ifeq ($(PINNED),no) # the newest releases of everything
define install
$(BIN)/pip install --quiet $(if $(TORCH_INDEX),--extra-index-url "$(TORCH_INDEX)") torch
$(BIN)/pip install --quiet --editable ".[site,real$(if $(filter test,$(1)),$(comma)test)]"
endef
else
define install
$(BIN)/pip install $(PINS) --quiet --quiet $(TORCH) || { \
  echo "no index offers a CPU build of torch (TORCH_INDEX names one), so the registry's own comes"; \
  $(BIN)/pip install $(PINS) --no-deps --requirement requirements/torch.txt --requirement requirements/cuda.txt; }
$(BIN)/pip install $(PINS) --requirement requirements/$(1).txt
$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
endef
endif

.venv/site-installed: .venv/python pyproject.toml requirements/torch-cpu.txt requirements/site.txt
	$(call install,site)
	@touch $@

.venv/test-installed: .venv/python pyproject.toml requirements/torch-cpu.txt requirements/test.txt
	$(call install,test)
	@touch $@ .venv/site-installed

.venv/pip-audit: requirements/audit.txt
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/pip install $(PINS) --requirement requirements/audit.txt
	@touch $@
