# Everything a developer types; `make` lists it. Only Python >= 3.11, make and a package registry are needed.
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)
ARGS ?=

ifeq ($(UV),)
MAKE_VENV = $(PYTHON) -m venv .venv
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
else
MAKE_VENV = $(UV) venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
endif

COMPILE = $(or $(UV),$(BIN)/uv) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-strip-extras --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check bench e2e fuzz format lock migrate image clean .venv

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

##@ Use it
run: .venv/.runtime ## Serve a demo on http://127.0.0.1:8000 (PORT=9000 and STAGERAIL_* settings are honoured)
	@exec $(BIN)/stagerail serve --demo

migrate: .venv/.runtime ## Bring the database of STAGERAIL_DATABASE_URL (an SQLite file if not said) up to date
	@$(BIN)/stagerail migrate

image: ## Build the container image stagerail:latest
	docker build --tag stagerail:latest .

##@ Work on it
test: .venv/.dev ## Run the tests but those of `make e2e`; app/engine must be covered to the last branch
	@$(BIN)/pytest --cov --cov-report= $(ARGS)
	@$(BIN)/coverage report --include='app/engine/*' --fail-under=100

e2e: .venv/.dev ## The long way round: real server processes, a real browser (chromium or google-chrome), the whole OpenAPI document
	@$(BIN)/pytest -m e2e $(ARGS)

check: .venv/.dev ## Check format, lint, types, layers and the Dockerfile
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/hadolint Dockerfile

fuzz: .venv/.fuzz ## Fuzz everything that reads what strangers send (ARGS='--runs 10000' for a short pass)
	@$(BIN)/python -m fuzz $(ARGS)

format: .venv/.dev ## Format the code and mend what can be mended by itself
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

bench: .venv/.dev ## Measure the speed against floors taken in the same run
	@$(BIN)/python -m bench $(ARGS)

lock: .venv/.runtime ## Write requirements/*.lock anew from pyproject.toml (UPGRADE=1 takes the newest versions)
	$(COMPILE) pyproject.toml --output-file requirements/runtime.lock
	$(COMPILE) --group build --output-file requirements/build.lock
	$(COMPILE) --group fuzz --output-file requirements/fuzz.lock
	$(COMPILE) pyproject.toml --group dev --constraints requirements/runtime.lock --constraints requirements/build.lock \
		--output-file requirements/dev.lock

clean: ## Remove the virtual environment, caches and build output; databases stay
	rm -rf .venv build dist htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What is installed is what the locks say, hashes checked, once for each content of the locks.
.venv: .venv/.dev

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which: make PYTHON=python3.12")'
	$(MAKE_VENV)

.venv/.runtime: requirements/runtime.lock requirements/build.lock pyproject.toml | .venv/bin/python
	$(INSTALL) --require-hashes -r requirements/runtime.lock -r requirements/build.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements/dev.lock .venv/.runtime
	$(INSTALL) --require-hashes -r requirements/dev.lock
	@touch $@

.venv/.fuzz: requirements/fuzz.lock .venv/.dev
	$(INSTALL) --require-hashes -r requirements/fuzz.lock
	@touch $@
