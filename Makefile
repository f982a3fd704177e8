# A fresh machine needs Python 3.11 or newer, with its venv module, and make. Nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= auto
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help chat install test coverage check docs recording bench-streaming clean

help:  ## show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.developing: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.installed

install: $(VENV)/.installed  ## create the environment with llmchat in it

chat: $(VENV)/.installed  ## chat, with a small model on this machine if nothing is configured
	@$(BIN)/llmchat

test: $(VENV)/.developing  ## run the tests, in as many processes as there are processors
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal

coverage: $(VENV)/.developing  ## run the tests and measure how much of the source they reach, child processes included
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

check: $(VENV)/.developing  ## lint, format, types and the import contract
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.developing  ## write what is generated: .env.example, the manual page, tables and the starter config.toml in the docs
	$(BIN)/python tests/generated.py

recording: $(VENV)/.developing  ## draw docs/chat.svg, the picture in the README, from what the program shows
	PYTHONPATH=tests $(BIN)/python docs/record.py

bench-streaming: $(VENV)/.developing  ## measure what showing a reply costs, beside other ways (half a minute)
	$(BIN)/python benchmarks/streaming.py

clean:  ## remove the environment and all caches
	rm -rf $(VENV) .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
