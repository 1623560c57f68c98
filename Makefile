# Everything a person needs: make setup | demo | test | check | bench
# SERVE=0 with demo ends before serving. PYTHON names the interpreter (3.11 or newer).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SERVE  ?= 1
HOME_FOLDER ?= var
TESTS  ?= tests

.PHONY: help setup setup-test browser demo test check bench clean

help:
	@echo "make demo     set up, then a simulated shop through the whole chain, and the console (SERVE=0: do not serve)"
	@echo "make test     set up, then every check and test"
	@echo "make check    formatting, lint, types, imports"
	@echo "make setup    the virtual environment in $(VENV)"
	@echo "make bench    the benchmarks, each beside its peer"

setup: $(VENV)/.runtime
setup-test: $(VENV)/.test

$(BIN)/python:
	@echo "== making $(VENV) with $(PYTHON)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade 'pip>=24' || true

$(VENV)/.runtime: pins/runtime.txt pyproject.toml package-lock.json scripts/browser_assets.py | $(BIN)/python
	@echo "== installing what Shouxin runs on (pinned, checked by hash)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r pins/runtime.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python scripts/browser_assets.py
	@touch $@

$(VENV)/.test: pins/test.txt $(VENV)/.runtime
	@echo "== installing what the tests need (pinned, checked by hash)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r pins/test.txt
	@# The file of torch differs by machine (CPU or GPU builds), so it is pinned by its version alone.
	@$(BIN)/pip install --quiet --disable-pip-version-check 'torch==2.13.0' || echo "!! torch 2.13.0 could not be installed: the tests of networks will be SKIPPED"
	@touch $@

browser: setup-test
	@sh scripts/browser.sh $(BIN)

demo: setup
	@$(BIN)/shouxin demo $(if $(filter 0,$(SERVE)),--no-serve,)

check: setup-test
	@echo "== format" && $(BIN)/ruff format --check --quiet src tests scripts
	@echo "== lint" && $(BIN)/ruff check --quiet src tests scripts
	@echo "== types" && $(BIN)/mypy
	@echo "== imports" && PYTHONPATH=tests/house $(BIN)/lint-imports --no-cache

test: browser check
	@echo "== tests"
	@$(BIN)/pytest -n $(or $(WORKERS),2) --dist worksteal $(TESTS)

bench: setup
	@$(BIN)/shouxin bench all

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis
