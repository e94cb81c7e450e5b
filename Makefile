# Needs only Python >= 3.10 and make: every target builds .venv first, once.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# Two test workers with two threads each would wait for one another on two cores.
export OMP_NUM_THREADS = 1

.PHONY: help install test test-all lint format demo build clean

help:
	@echo "make test | test-all | lint | format | demo | build | clean"

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "sk_ctxmem needs Python 3.10 or newer, but $(PYTHON) is %s; use make PYTHON=python3.11" % sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

test: lint
	$(BIN)/python -m pytest -n 2

test-all: lint
	$(BIN)/python -m pytest -n 2 -m ""

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

demo: $(STAMP)
	$(BIN)/python -m benchmarks --demo

build: $(STAMP)
	$(BIN)/python -m build

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find sk_ctxmem tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
