# Everything one does with this checkout; `make` alone lists it. Needs make and Python >= 3.11, nothing else beforehand.
# Progress goes to stderr: stdout of `make demo` is the demo's alone.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
JOBS ?= 2
ARGS ?=
FROM ?= 0
SEEDS ?= 2000
FOCUS ?=
MINUTES ?= 20
HOURS ?= 72
IMAGE ?= rotator:dev

# What an editable install depends on: the entry point and the metadata, not the code.
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev

# Unit and contract tests talk to no server that must be built first.
FAST := tests/unit tests/contract

.PHONY: help setup setup-dev demo test test-fast test-kills soak test-servers test-deploy kubernetes simulate crash lint format coverage bench docs site wheel image lock clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(RUNTIME) ## Create .venv with the locked runtime dependencies and the `rotator` command
	@:

setup-dev: $(DEV) ## The same with what tests and linters need
	@:

demo: $(RUNTIME) ## Run the demo; ends after two rotations; flags: make demo ARGS="--chaos"
	@exec $(BIN)/rotator demo $(ARGS)

# Many tests wait for a process or a server, so one worker more than cores keeps the cores busy; the simulation never waits.
test: $(DEV) test-servers ## Run the whole suite, building and installing what it needs; ARGS go to one pytest, JOBS=2
	@if [ -n "$(ARGS)" ]; then exec $(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS); fi; status=0; \
	export FAILURES=$(CURDIR)/$(VENV)/.failures; : > $$FAILURES; \
	$(BIN)/python -m pytest -n $$(($(JOBS) + 1)) --dist loadfile --ignore=tests/simulation --ignore=tests/deploy --cov --cov-report= || status=1; \
	$(BIN)/python -m tests.coverage_floor || { status=1; echo "coverage: a package lies under its floor" >> $$FAILURES; }; \
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal tests/simulation || status=1; \
	if [ $$status != 0 ]; then echo "what failed:"; cat $$FAILURES; fi; exit $$status

test-fast: $(DEV) ## Run what needs no real server: unit and contract tests, for the daily loop
	@exec $(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not slow and not vault and not postgres" $(FAST) $(ARGS)

test-kills: $(DEV) ## Kill an audit export a thousand times and prove what it wrote; takes minutes; ARGS: a seed
	@exec $(BIN)/python -m tests.crash.export_kills 1000 $(ARGS)

soak: $(DEV) ## Does a daemon grow? MINUTES=20 HOURS=72 (virtual); on PostgreSQL with ROTATOR_TEST_JOURNAL=postgres
	@exec $(BIN)/python -m tests.soak $(MINUTES) $(HOURS)

test-servers: $(DEV) ## Build or install the real servers of the tests (once, cached outside the checkout)
	@$(BIN)/python -m tests.servers.prepare

test-deploy: $(DEV) ## Render the chart with Helm, build with Kustomize; builds both once, which takes minutes and needs Go
	@$(BIN)/python -m tests.servers.kubernetes.build
	@exec $(BIN)/python -m pytest tests/deploy $(ARGS)

kubernetes: $(DEV) ## Write deploy/kubernetes/ out of the chart again
	@exec $(BIN)/python -m tests.deploy.kustomize

simulate: $(DEV) ## Try many seeds; FROM=0 SEEDS=2000 FOCUS=roll JOBS=2; says where to go on
	@exec $(BIN)/python -m rotator.testing.simulation.many --from $(FROM) --seeds $(SEEDS) --focus "$(FOCUS)" --jobs $(JOBS) \
	  --commit "$$(git describe --always --dirty 2>/dev/null || echo unknown)"

crash: $(DEV) test-servers ## Kill real processes at every named point, with the journal in a file and on PostgreSQL
	@status=0; run() { $(BIN)/python -m pytest -n $(JOBS) --dist loadfile tests/crash $(ARGS) "$$@" || status=1; }; \
	echo "the journal in a file"; run; \
	echo "the journal on PostgreSQL"; export ROTATOR_TEST_JOURNAL=postgres; \
	run --ignore=tests/crash/test_restore.py --ignore=tests/crash/test_state_copy.py; exit $$status

lint: $(DEV) ## Check style, formatting, types and the direction of imports
	@status=0; for check in "ruff check" "ruff format --check" "mypy --strict rotator bench" "lint-imports"; do \
	  echo "$$check"; $(BIN)/$$check || status=1; done; exit $$status

format: $(DEV) ## Format and fix what can be fixed by itself
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

coverage: test ## Run the suite, then write htmlcov/ and coverage.xml
	@$(BIN)/coverage html --quiet
	@$(BIN)/coverage xml --quiet
	@echo "htmlcov/index.html and coverage.xml are written"

bench: $(DEV) ## Measure; flags in ARGS
	@exec $(BIN)/python -m bench $(ARGS)

docs: $(DEV) ## Write the generated pages below docs/ again
	@exec $(BIN)/python -m docs.generate $(ARGS)

site: $(DEV) ## Build the site out of the pages into build/site; a warning is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "build/site/index.html is written"

wheel: $(RUNTIME) ## Build the wheel into dist/, for pip or pipx
	@$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . >&2
	@ls dist/rotatord-*.whl

image: ## Build the container image; IMAGE=rotator:dev, with docker, podman or buildah
	@if command -v docker >/dev/null && docker info >/dev/null 2>&1; then exec docker build -t $(IMAGE) .; \
	elif command -v podman >/dev/null; then exec podman build -t $(IMAGE) .; \
	elif command -v buildah >/dev/null; then exec buildah bud --format docker -t $(IMAGE) .; \
	else echo "make image needs docker, podman or buildah on PATH" >&2; exit 1; fi

lock: $(DEV) ## Compile requirements/*.in again into hash-locked requirements/*.txt
	cd requirements && for set in runtime dev; do ../$(BIN)/uv pip compile --universal --python-version 3.11 \
	  --generate-hashes --no-strip-extras --no-emit-index-url --no-header --quiet $$set.in -o $$set.txt || exit 1; done

clean: ## Remove .venv, reports and tool caches (not the servers in the cache folder)
	rm -rf $(VENV) build dist htmlcov coverage.xml .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache \
	  .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is made last, so an interrupted installation is done again. A lock is complete, so it is installed and not
# resolved (`--no-deps`): pip would look at the newest version of everything, and a newer one would break the installation.
# The project itself is built with the locked build backend: nothing that is not locked is ever fetched.
$(VENV)/.python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not on PATH: install Python >= 3.11, or say which: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: say which one to use: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "creating $(VENV)" >&2
	@$(PYTHON) -m venv --clear $(VENV) >&2 || { echo "the venv module does not work; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(RUNTIME): requirements/runtime.txt pyproject.toml | $(VENV)/.python
	@echo "installing the runtime dependencies" >&2
	@$(PIP) install --quiet --no-deps --require-hashes -r requirements/runtime.txt >&2
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable . >&2
	@touch $@

$(DEV): requirements/dev.txt $(RUNTIME) | $(VENV)/.python
	@echo "installing what tests and linters need" >&2
	@$(PIP) install --quiet --no-deps --require-hashes -r requirements/dev.txt >&2
	@touch $@
