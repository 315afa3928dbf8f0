# `make` lists the targets. Each sets up .venv by itself; PYTHON=python3.12 chooses another Python for it,
# ARGS="..." goes to the program that a target runs, WORKERS=0 runs the tests in one process.

PYTHON ?= python3
ARGS ?=
WORKERS ?= 2

bin := .venv/bin
set-up = @command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) is not installed. \
	On Debian and Ubuntu: sudo apt-get install python3 python3-venv"; exit 1; }; "$(PYTHON)" tools/environment.py

.DEFAULT_GOAL := help
.PHONY: help setup setup-all demo test check lint types contracts format bench docs lock vendor clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1|/p' Makefile | while IFS='|' read -r name text; do \
		printf '  make %-10s %s\n' "$$name" "$$text"; done

setup: ## create .venv or bring it up to date
	$(set-up) dev

setup-all:
	$(set-up) dev demo

demo: setup-all ## replay six weeks of real purchases through gatepost and the Insider sandbox
	$(bin)/gatepost demo $(ARGS)

test: setup-all ## run every test: make test ARGS="-k collect"
	$(bin)/python -m pytest -n $(WORKERS) --dist loadscope $(ARGS)

check: setup ## look at format, lint, types and layers, and name everything found
	@$(MAKE) --no-print-directory --keep-going lint types contracts

lint: setup
	$(bin)/ruff format --check
	$(bin)/ruff check

types: setup
	$(bin)/mypy

contracts: setup
	$(bin)/lint-imports

format: setup ## put every file into the house format
	$(bin)/ruff format
	$(bin)/ruff check --fix

bench: ## measure: one JSON line per benchmark
	$(set-up) dev demo bench
	@set -e; for file in $$(grep -ls '^def main' benchmarks/*.py); do \
		name=$$(basename "$$file" .py); echo "benchmarks.$$name" >&2; \
		$(bin)/python -m "benchmarks.$$name" --json $(ARGS); done

docs: setup ## write docs/reference from the program
	$(bin)/python tools/reference.py

lock: setup ## choose the newest dependencies and pin them
	$(bin)/python tools/lock.py

vendor: setup ## fetch the JavaScript that is shipped as it is, with its licences
	$(bin)/python tools/vendor.py

clean: ## remove .venv and every cache
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
