# Every verb sets up what it needs. `make` alone prints them.

SEED ?= 7
WORKERS ?= 2
ARGS ?=
BIN := .venv/bin

# The first Python that is new enough; with none, tools/setup.py says what is wrong.
PYTHON ?= $(or $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$python && break; \
	done),python3)

COMPILE = $(BIN)/python -m uv --quiet pip compile --universal --python-version 3.11 --generate-hashes \
	--system-certs --no-emit-index-url --no-emit-find-links --no-header --annotation-style line

.DEFAULT_GOAL := help
.PHONY: help setup run test check sim golden bench lock clean ready

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ready ## Make .venv with the locked packages and the `steelyard` command
	@echo "Ready: $(BIN)/steelyard"

run: ready ## Start a venue
	$(BIN)/steelyard run $(ARGS)

test: ready ## Run the tests (ARGS="-k funding" selects)
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

check: ready ## Lint, format and types, without changing a file
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

sim: ready ## Run the whole engine from a seed (SEED=7)
	$(BIN)/python -m tests.simulation --seed $(SEED) $(ARGS)

golden: ready ## Rewrite the golden files; read the diff before you keep it
	$(BIN)/python -m tests.golden --rewrite

bench: ready ## Time every named scenario
	$(BIN)/steelyard bench all

lock: ready ## Write the lock files anew from pyproject.toml (ARGS=--upgrade moves versions)
	$(COMPILE) $(ARGS) pyproject.toml -o requirements/runtime.txt
	$(COMPILE) $(ARGS) pyproject.toml --extra dev -c requirements/runtime.txt -o requirements/dev.txt
	echo uv | $(COMPILE) $(ARGS) - -o requirements/uv.txt

clean: ## Remove .venv, caches and builds
	rm -rf .venv build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find src tests tools -type d -name __pycache__ -prune -exec rm -rf {} +

ready:
	@command -v $(PYTHON) >/dev/null || { echo "No Python found. Install 3.11 or newer, or name it: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) tools/setup.py
