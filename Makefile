# Everything a developer types. `make help` lists it; only Python >= 3.11, make and a package registry are needed.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# What is installed is what the locks say, hashes checked. Stamps make it happen once for each content of the locks.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
ifeq ($(UV),)
	$(PYTHON) -m venv .venv
else
	$(UV) venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
endif

ifeq ($(UV),)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
else
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
endif

.venv/.runtime: requirements/runtime.lock requirements/build.lock pyproject.toml | .venv/bin/python
	$(INSTALL) --require-hashes -r requirements/runtime.lock -r requirements/build.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements/dev.lock .venv/.runtime
	$(INSTALL) --require-hashes -r requirements/dev.lock
	@touch $@

.venv: .venv/.dev ## Install everything into .venv
.PHONY: .venv
