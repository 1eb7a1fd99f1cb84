# Everything that a developer types. `make serve` and `make test` work on a fresh machine with Python 3.11, a C compiler and pip.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 6379
ARGS ?=

SOURCES := pyproject.toml meson.build meson.options $(shell find csrc trioredis tools sandbox \
	\( -name '*.c' -o -name '*.h' -o -name '*.py' -o -name '*.cdef' -o -name '*.json' -o -name '*.toml' \
	-o -name 'meson.build' \) -not -path '*/__pycache__/*' 2>/dev/null)

.PHONY: help serve install test lint bench ctest asan clean

help:
	@echo "make serve   build what is missing and serve on port $(PORT) (PORT=..., ARGS=...)"
	@echo "make test    build, install what the tests need and run them all"
	@echo "make lint    ruff, mypy and the layer check alone"
	@echo "make ctest   the C unit tests alone"
	@echo "make asan    the C unit tests and the engine's Python tests under address and undefined sanitizers"
	@echo "make bench   compare with redis-server side by side (ARGS=--help for its options)"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.tools: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		"meson-python>=0.17" "meson>=1.3" "ninja>=1.11" "cffi>=1.16,<3" "setuptools>=68"
	@touch $@

$(VENV)/.installed: $(VENV)/.tools $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation \
		-Cbuild-dir=build/release .
	@touch $@

$(VENV)/.test-tools: $(VENV)/.installed pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation \
		-Cbuild-dir=build/release ".[test]"
	@touch $@

install: $(VENV)/.installed

serve: $(VENV)/.installed
	@exec $(BIN)/trioredis-server --port $(PORT) $(ARGS)
