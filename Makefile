# Each target does its own set-up: python3 (3.11 or newer) and make are enough. On Windows, see README.md.

PYTHON := .venv/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --no-input
LOCK := $(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" pyproject.toml

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: demo test test-long bench bench-smoke lint format messages wheel lock upgrade chromium libreoffice clean help

demo: .venv/ready ## the main job on the sample data, against the embedded sandbox
	@$(PYTHON) -m batch_issuer demo

test: lint chromium libreoffice ## every check and every test (about the same as continuous integration)
	$(PYTHON) -m pytest

test-long: .venv/ready chromium libreoffice ## the tests that take minutes
	$(PYTHON) -m pytest -m long

lint: .venv/ready ## style, format, types, and which room may use which
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

bench: .venv/bench chromium ## measure everything, side by side, into benchmarks/RESULTS.md; BENCH="--million --big" for more
	$(PYTHON) -m benchmarks $(BENCH)

bench-smoke: .venv/ready ## only see that the benchmarks still run
	$(PYTHON) -m benchmarks --smoke --folder build/smoke --output build/smoke/RESULTS.md

format: .venv/ready ## put the sources into the form that lint asks for
	$(PYTHON) -m ruff check --fix
	$(PYTHON) -m ruff format

messages: .venv/ready ## bring the Spanish catalog up to date with the texts in the code, and compile it
	$(PYTHON) tools/catalog.py

wheel: .venv/ready ## build the wheel into dist/
	$(PYTHON) -m build --wheel --no-isolation

lock: .venv/ready ## write requirements/*.txt after changing the dependencies in pyproject.toml
	$(PIP) install -qq uv
	$(LOCK) $(UPGRADE) --output-file requirements/core.txt
	$(LOCK) $(UPGRADE) --group dev --output-file requirements/dev.txt
	$(LOCK) $(UPGRADE) --group dev --group bench --constraint requirements/dev.txt --output-file requirements/bench.txt

upgrade: ## write requirements/*.txt with the newest versions
	$(MAKE) lock UPGRADE=--upgrade

chromium: ## the browser for the report's tests, where it can be installed without asking
	@tools/install-chromium

libreoffice: ## the spreadsheet program that the tests save workbooks with, likewise
	@tools/install-libreoffice

clean: ## remove what building and testing left; the environment in .venv stays
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .venv/ready
	find batch_issuer tests -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

# The environment, new again when a dependency changes.
.venv/ready: requirements/dev.txt pyproject.toml
	@tools/create-venv .venv
	@echo "Installing the locked dependencies; the first time takes a minute or two"
	@$(PIP) install -qq --require-hashes --requirement requirements/dev.txt
	@$(PIP) install -qq --no-deps --no-build-isolation --editable .
	@touch $@

# What only the benchmarks compare with.
.venv/bench: .venv/ready requirements/bench.txt
	@$(PIP) install -qq --require-hashes --requirement requirements/bench.txt
	@touch $@
