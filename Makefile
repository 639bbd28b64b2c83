# Every target works on a fresh machine with Python >= 3.11 (venv, pip), make and git:
# it makes its own virtual environment first. `make PYTHON=python3.13 test` picks the interpreter.

PYTHON ?= python3
VENV ?= .venv
BENCH_VENV ?= .venv-bench
# The interpreters that `make test-all` tries; those that are not installed are named and left out.
PYTHONS ?= python3.11 python3.12 python3.13
# The peer that `make bench` and `make oracle` compare with. Any index that pip is configured for may serve it.
BENCH_PEER ?= torch==2.13.0
PYTEST_ARGS ?=
# For test-array-api: a checkout of array-api-tests with its submodule, and what to run it with.
SUITE ?= ../array-api-tests
DEVICE ?= cpu
EXAMPLES ?= 30
BENCH_ARGS ?=
ORACLE_ARGS ?=
DEMO_ARGS ?=

# Every folder with a pyproject.toml is a distribution of its own.
DISTRIBUTIONS := $(patsubst %/pyproject.toml,%,$(wildcard \
	backends/*/pyproject.toml domains/*/pyproject.toml plugins/*/pyproject.toml))
# What the tests of a distribution need beside is its extra "test", where it has one.
TESTABLE = $(foreach d,$(DISTRIBUTIONS),--editable ./$(d)$(if $(shell grep '^test = ' $(d)/pyproject.toml),[test]))
INPUTS := pyproject.toml constraints.txt $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help demo test test-all test-array-api bench oracle lint docs clean
.DEFAULT_GOAL := help

help:
	@echo "make demo      train a small classifier on real digits, save it, load it again"
	@echo "make test      install every distribution of the repository and run the tests"
	@echo "make test-all  the same with the slow tests, on each of: $(PYTHONS)"
	@echo "make test-array-api  the array API standard's own suite; SUITE=... its checkout, DEVICE=..."
	@echo "make bench     cost of a call beside PyTorch's (downloads PyTorch)"
	@echo "make oracle    every operator compared with PyTorch's (downloads PyTorch)"
	@echo "make lint      ruff, mypy --strict, import-linter"
	@echo "make docs      the documentation as HTML in docs/_build"
	@echo "make clean     remove what the targets above have made"

demo: $(VENV)/.demo
	$(VENV)/bin/python docs/examples/digits.py $(DEMO_ARGS)

test: $(VENV)/.everything
	@$(VENV)/bin/python -m dispatch_opencl provide
	$(VENV)/bin/python -m pytest -q README.md docs
	$(VENV)/bin/python -m pytest -n 2 -m "not slow" $(PYTEST_ARGS)

test-all:
	@set -e; tried=0; for python in $(PYTHONS); do \
		version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || \
			{ echo "$$python: not installed, left out"; continue; }; \
		tried=1; echo "== Python $$version"; \
		$(MAKE) --no-print-directory test PYTHON=$$python VENV=.venv-$$version \
			PYTEST_ARGS='-m "" $(PYTEST_ARGS)'; \
	done; test $$tried = 1 || { echo "none of $(PYTHONS) is installed"; exit 1; }

lint: $(VENV)/.everything
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

test-array-api: $(VENV)/.array-api
	cd $(SUITE) && ARRAY_API_TESTS_VERSION=2025.12 \
		ARRAY_API_TESTS_MODULE="exec('import dispatch_core as dc; dc.set_default_device(\"$(DEVICE)\"); xp = dc.array_api')" \
		$(abspath $(VENV))/bin/python -m pytest array_api_tests -q -p no:cacheprovider \
		--max-examples $(EXAMPLES) --disable-deadline $(PYTEST_ARGS)

bench: $(BENCH_VENV)/.installed
	$(BENCH_VENV)/bin/python -m benchmarks.compare $(BENCH_ARGS)

oracle: $(BENCH_VENV)/.installed
	$(BENCH_VENV)/bin/python -m tests.oracle.card $(ORACLE_ARGS)

docs: $(VENV)/.docs
	rm -rf docs/reference
	$(VENV)/bin/python -m dispatch_core.testing.reference docs/reference
	$(VENV)/bin/python -m sphinx -q -W -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

clean:
	rm -rf .venv .venv-* build dist docs/_build docs/reference .benchmarks .hypothesis
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than what it was made from, or the environment is brought up to date.
$(VENV)/.base: $(INPUTS)
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit( \
		"dispatch_core needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + \
		": name another with make PYTHON=...")'
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python $(PIP_INSTALL) hatchling editables
	@touch $@

$(VENV)/.demo: $(VENV)/.base
	@$(VENV)/bin/python $(PIP_INSTALL) --no-build-isolation --editable ".[demo]"
	@touch $@

$(VENV)/.everything: $(VENV)/.base
	@$(VENV)/bin/python $(PIP_INSTALL) --no-build-isolation --editable ".[test,dev,demo]" \
		$(TESTABLE)
	@touch $@

$(VENV)/.array-api: $(VENV)/.everything
	@$(VENV)/bin/python $(PIP_INSTALL) "hypothesis>=6.151" ndindex pytest-json-report
	@touch $@

$(VENV)/.docs: $(VENV)/.everything
	@$(VENV)/bin/python $(PIP_INSTALL) --no-build-isolation --editable ".[docs]"
	@touch $@

$(BENCH_VENV)/.installed: pyproject.toml constraints.txt
	@echo "making $(BENCH_VENV)"
	@$(PYTHON) -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python $(PIP_INSTALL) hatchling editables
	@$(BENCH_VENV)/bin/python $(PIP_INSTALL) --no-build-isolation --editable ".[bench]" \
		"$(BENCH_PEER)"
	@touch $@
