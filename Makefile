# Everything a user runs. `make setup` makes .venv and does nothing when nothing changed; the others call it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
# Tests wait for processes half of their time: two files at once. A file's tests stay together with its fixtures.
SIDE_BY_SIDE := -n 2 --dist loadfile
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export DAGSTER_DISABLE_TELEMETRY := yes
export RAY_USAGE_STATS_ENABLED := 0

.PHONY: help setup demo demo-year demo-text demo-image demo-series ui check test test-slow bench clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## make .venv with every version of constraints.txt

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed ($(PYTHON) was not found): install it, or call make PYTHON=/path/to/python3.11"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV): three to five minutes, 3 GB, once."
	@$(BIN)/pip install -qq -c constraints.txt setuptools wheel torch==2.13.0
	@$(BIN)/pip install -qq -c constraints.txt --no-build-isolation -e '.[pipeline,serving,dev]'
	@touch $@

demo: setup ## the whole story on real flights, in at most ten minutes
	@$(BIN)/acts demo

demo-year: setup ## twelve months of flights through a deployed champion that is watched and challenged
	@$(BIN)/acts demo --year

demo-text: setup ## a model of 60,000 real headlines, from the contract to what it answers
	@$(BIN)/acts demo --text

demo-image: setup ## the same of 70,000 pictures of garments (Fashion-MNIST)
	@$(BIN)/acts demo --image

demo-series: setup ## the same of hourly temperatures, a day ahead
	@$(BIN)/acts demo --series

ui: setup ## Dagster's UI on the history of the year, if it was played, else of the demo
	@$(BIN)/acts ui --repo $(firstword $(wildcard .acts/demo-year) .acts/demo)

check: setup ## lint, types, import directions: what pre-commit does
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/acts check

test: setup ## the tests (ten to sixteen minutes on two cores)
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-slow: setup ## whole loops, killed processes, full disks, other servers
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m slow

bench: setup ## every benchmark, or one: make bench BENCH=plan
	@$(BIN)/python -m tests.benchmarks.run $(BENCH)

clean: ## remove what was built, keep .venv
	rm -rf .acts .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
