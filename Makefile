# Everything that a developer types. `make serve` and `make test` work on a fresh machine with Python 3.11, a C compiler and pip.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 6379
ARGS ?=
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
CHECK := $(BIN)/python tools/check.py
# The build finds meson and ninja in the path.
export PATH := $(abspath $(BIN)):$(PATH)

SOURCES := pyproject.toml meson.build meson.options $(shell find csrc trioredis tools $(wildcard sandbox) \
	\( -name '*.c' -o -name '*.h' -o -name '*.py' -o -name '*.cdef' -o -name '*.json' -o -name '*.toml' \
	-o -name 'meson.build' \) -not -path '*/__pycache__/*')

.PHONY: help serve install test lint ctest asan pytest bench clean

help:
	@echo "make serve   build what is missing and serve on port $(PORT) (PORT=..., ARGS=...)"
	@echo "make test    build, install what the tests need and run them all"
	@echo "make lint    ruff and mypy alone"
	@echo "make ctest   the C unit tests alone"
	@echo "make asan    the C unit tests and the engine's Python tests under address and undefined sanitizers"
	@echo "make pytest  the Python tests alone (ARGS=... for pytest, such as ARGS='tests/server -x')"
	@echo "make bench   compare with redis-server side by side (ARGS=--help for its options)"
	@echo "make install build and install into $(VENV)"
	@echo "make clean   remove what was built"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.tools: $(BIN)/python pyproject.toml tools/requirements.py
	$(BIN)/python tools/requirements.py build run | $(PIP) -r /dev/stdin
	@touch $@

$(VENV)/.test-tools: $(VENV)/.tools
	$(BIN)/python tools/requirements.py test | $(PIP) -r /dev/stdin
	@touch $@

$(VENV)/.installed: $(VENV)/.tools $(SOURCES)
	$(PIP) --no-build-isolation --no-deps -Cbuild-dir=build/release .
	@touch $@

install: $(VENV)/.installed

serve: $(VENV)/.installed
	@echo "serving on port $(PORT); stop it with Ctrl-C"
	@exec $(BIN)/trioredis-server --port $(PORT) $(ARGS)

test: $(VENV)/.installed $(VENV)/.test-tools
	@sh tools/install_redis.sh
	@$(CHECK)

lint: $(VENV)/.test-tools
	@$(CHECK) lint types

ctest: $(VENV)/.tools
	@$(CHECK) ctest

asan: $(VENV)/.test-tools
	@$(CHECK) asan asan-pytest

pytest: $(VENV)/.installed $(VENV)/.test-tools
	@$(CHECK) pytest -- $(ARGS)

bench: $(VENV)/.installed $(VENV)/.test-tools
	@sh tools/install_redis.sh
	@$(BIN)/python -m tests.bench $(ARGS)

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache $(VENV)/.installed
