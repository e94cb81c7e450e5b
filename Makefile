# Needs only Python >= 3.10 and make: every target first installs into .venv what it needs, once.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.dev

# Two test workers with two threads each would wait for one another on two cores.
export OMP_NUM_THREADS = 1

.PHONY: help install test test-slow test-all test-distributed test-matrix gpu coverage mutants audit lint format demo docs docs-quick linkcheck build clean

help:
	@echo "make test | test-slow | test-all | test-distributed | test-matrix | gpu | coverage | mutants | audit | lint | format | demo | docs | docs-quick | linkcheck | build | clean"

install: $(STAMP)

# .venv/.NAME: the package with an extra. What a demonstration needs is a third of what we develop with.
.venv/.test: EXTRAS = test,benchmarks,lint
.venv/.%: EXTRAS = $*

.venv/.%: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "sk_ctxmem needs Python 3.10 or newer, but $(PYTHON) is %s; use make PYTHON=python3.11" % sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$(EXTRAS)]"
	@touch $@

test: lint
	$(BIN)/python -m pytest -n 2

test-all: lint $(STAMP)
	$(BIN)/python -m pytest -n 2 -m "not engines"
	$(BIN)/python -m pytest -m engines tests/engines

# Those that take more than a few seconds, but for the pages and the README, which `make docs` runs.
test-slow: $(STAMP)
	$(BIN)/python -m pytest -n 2 -m "slow and not engines" --ignore=tests/test_pages.py --ignore=tests/test_readme.py --ignore=tests/test_tutorials.py

# Real engines: Dask, Ray, Spark (which needs Java), and several processes. One test at a time, as
# each has processes of its own.
test-distributed: $(STAMP)
	$(BIN)/python -m pytest -m engines tests/engines

# Sessions and what they promise: noxfile.py. Those without their Python are named in the last lines.
test-matrix: $(STAMP)
	$(BIN)/nox

# On a machine with CUDA: the tests marked gpu, and a table of times against the CPU, in less than eight
# minutes. Where there is no CUDA device nothing is run, and the status is not 0. GPU_DEVICE=cpu tries
# the command itself.
GPU := .venv-gpu
GPU_DEVICE ?= cuda
GPU_OUTPUT ?= benchmarks/results
GPU_OPTIONS ?=
HAS_DEVICE = -c 'import sys, torch; sys.exit("$(GPU_DEVICE)" != "cpu" and not torch.cuda.is_available())'
NO_DEVICE = { echo "make gpu needs a CUDA device, and there is none: nothing was run" >&2; exit 2; }

gpu:
	@nvidia-smi -L 2>/dev/null || $(PYTHON) $(HAS_DEVICE) 2>/dev/null || $(NO_DEVICE)
	@$(MAKE) --no-print-directory $(GPU)/.installed
	@$(GPU)/bin/python $(HAS_DEVICE) || $(NO_DEVICE)
	SK_CTXMEM_TEST_DEVICE=$(GPU_DEVICE) $(GPU)/bin/python -m pytest -m gpu tests/test_gpu.py tests/test_runtime.py
	$(GPU)/bin/python -m benchmarks.gpu --device $(GPU_DEVICE) --output $(GPU_OUTPUT) $(GPU_OPTIONS)

# torch with CUDA that $(PYTHON) has is seen from here, and only what is missing is installed. Else the
# pinned torch is, whose usual build for Linux has CUDA: not the CPU's, from an index beside the usual.
$(GPU)/.installed: pyproject.toml
	rm -rf $(GPU)
	$(PYTHON) -m venv --system-site-packages $(GPU)
	if $(PYTHON) $(HAS_DEVICE) 2>/dev/null; then \
		$(PYTHON) -c 'import site; print(*site.getsitepackages(), sep="\n")' > $$(echo $(GPU)/lib/python3*/site-packages)/outer.pth; \
		$(GPU)/bin/python -c 'import pytest, benchmarks.gpu.__main__, sk_ctxmem' 2>/dev/null || \
		$(GPU)/bin/python -m pip install --quiet --disable-pip-version-check -e . pytest; \
	else \
		PIP_EXTRA_INDEX_URL= $(GPU)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e . pytest; \
	fi
	@touch $@

# The package's own tests; those of the benchmarks would count lines that no test of ours checks.
coverage: $(STAMP)
	$(BIN)/python -m pytest -n 2 --cov --ignore-glob="tests/test_benchmarks*" --ignore=tests/test_speed.py

audit: $(STAMP)
	$(BIN)/nox -s audit

# Changes the code in small ways, and tells which changes no test sees. Takes those whose number ends
# in one of these digits, three in ten, in about ten minutes; MUTANTS= takes all.
MUTANTS ?= [369]

mutants: $(STAMP)
	rm -rf mutants
	nice $(BIN)/mutmut run --max-children 1 '*$(MUTANTS)'
	@$(BIN)/mutmut results | sed '/not checked/d'
	@$(BIN)/mutmut results --all true | sed -E '/not checked/d; s/^ *(\w+\.\w+)\..*:/\1:/' | sort | uniq -c

lint: .venv/.test
	$(BIN)/codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

demo: .venv/.demo
	$(BIN)/python -m benchmarks --demo

# The pages: their code is run, the examples of the gallery too, and every warning is an error.
docs: $(STAMP)
	$(BIN)/python -m pytest -q -n 2 -m slow tests/test_pages.py tests/test_readme.py tests/test_tutorials.py
	$(BIN)/python -m sphinx -b html -W --keep-going -n -q docs docs/_build/html
	$(BIN)/python docs/_ext/check_links.py docs/_build/html
	$(BIN)/python docs/_ext/search_words.py docs/_build/html

# The same pages without running the examples.
docs-quick: $(STAMP)
	$(BIN)/python -m sphinx -b html -W --keep-going -n -q -D plot_gallery=0 -D suppress_warnings=image.not_readable docs docs/_build/html

# Asks every page outside whether it is still there, so it needs the network.
linkcheck: $(STAMP)
	$(BIN)/python -m sphinx -b linkcheck -q -D plot_gallery=0 docs docs/_build/linkcheck

build: $(STAMP)
	$(BIN)/python -m build

clean:
	rm -rf docs/_build docs/auto_examples docs/auto_tutorials docs/generated docs/sg_execution_times.rst
	rm -f docs/tutorials/*.csv docs/tutorials/*.ctxmem docs/tutorials/*.html
	rm -rf .venv .venv-gpu .nox .coverage mutants build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find sk_ctxmem tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
