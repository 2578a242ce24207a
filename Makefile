# Tallystick's commands. `make run` on a fresh machine needs Python 3.11 or later and a network, once.

PORT   ?= 8420
DATA   ?= ./data
PYTHON ?= python3
ARGS   ?=
TESTS  ?=

BIN := .venv/bin
NO_PACKAGES := { echo "The packages could not be installed. The first time needs the network; run it again."; exit 1; }
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-compiled upstream check compile bench docs node clean

help:
	@echo "make run            start the server          PORT=$(PORT) DATA=$(DATA) PYTHON=$(PYTHON) ARGS=..."
	@echo "make test           run the tests, about five minutes"
	@echo "make test-compiled  run the tests with the pure rooms compiled"
	@echo "make upstream       run Hummingbot's own tests against the facade  TESTS=folder"
	@echo "make check          style, types, import rule, diagrams, compilation"
	@echo "make compile        compile the pure rooms into build/compiled"
	@echo "make bench          measure, about five minutes  ARGS=--quick"
	@echo "make docs           draw the lifecycle again"
	@echo "make node           install the SDKs that the tests drive, and Node if need be"
	@echo "make clean          remove what these commands made, except DATA"

# exec: the shell steps aside, so a signal reaches the server itself.
run: .venv/.installed
	@exec $(BIN)/tallystick serve --port "$(PORT)" --data "$(DATA)" $(ARGS)

test: .venv/.installed-dev .venv/.installed-node
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile

test-compiled: compile .venv/.installed-node
	@PYTHONPATH="$(CURDIR)/build/compiled" TALLYSTICK_EXPECT_COMPILED=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile

upstream: .venv/.installed-dev
	@$(BIN)/python -m tools.upstream "$(TESTS)"

check: .venv/.installed-dev
	@echo "check: style"
	@$(BIN)/ruff check --quiet --output-format concise .
	@$(BIN)/ruff format --check --quiet . || { echo "Some files are not formatted; run: $(BIN)/ruff format ."; exit 1; }
	@echo "check: types"
	@$(BIN)/mypy --no-error-summary
	@echo "check: imports point downwards"
	@$(BIN)/python tools/import_rule.py
	@echo "check: diagrams are current"
	@$(BIN)/python tools/draw_lifecycle.py --check
	@echo "check: the pure rooms compile unchanged"
	@$(BIN)/python -m tools.compile_pure

compile: .venv/.installed-dev
	@$(BIN)/python -m tools.compile_pure

bench: .venv/.installed-dev
	@$(BIN)/python -m bench $(ARGS)

docs: .venv/.installed-dev
	@$(BIN)/python tools/draw_lifecycle.py

node: .venv/.installed-node

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The environment. A stamp is newer than everything it was made from, so a second `make` asks nobody. ---

.venv/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Tallystick needs Python 3.11 or later; '$(PYTHON)' is not. Name one: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv"; exit 1; }
	@echo "setup: making .venv"
	@$(PYTHON) -m venv --clear .venv

.venv/.installed: requirements.lock pyproject.toml | .venv/pyvenv.cfg
	@echo "setup: installing what Tallystick runs on (once)"
	@$(PIP) install --require-hashes -r requirements.lock || $(NO_PACKAGES)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.installed-dev: requirements-dev.lock pyproject.toml | .venv/pyvenv.cfg
	@echo "setup: installing what the tests need (once)"
	@$(PIP) install --require-hashes -r requirements-dev.lock || $(NO_PACKAGES)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch .venv/.installed $@

.venv/.installed-node: $(wildcard tests/bluefin/sdk/* tests/bluefin/sdk/.npmrc) | .venv/.installed-dev
	@echo "setup: installing the exchange's SDK, which the tests drive (once)"
	@$(BIN)/python -m tests.bluefin.node || $(NO_PACKAGES)
	@touch $@
