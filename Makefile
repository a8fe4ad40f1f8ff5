# make demo, make test: each does its own set-up on a machine with Python >= 3.11, pip and make.

PYTHON ?= python3
WORKERS ?= 2
RUN := .venv/bin/python -m
PYTEST := $(RUN) pytest -n $(WORKERS)
MAKEFLAGS += --no-print-directory
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help demo test check quick nightly bench yardstick array-api docs clean

help:
	@echo "make demo     learn to read handwritten digits, then the article's examples; pictures in out/"
	@echo "make test     everything a change must pass"
	@echo "make quick    a slice of it, for between two thoughts"
	@echo "make nightly  the laws on many more examples"
	@echo "make bench    times, compile times and memory beside HIPS autograd, JAX, PyTorch, hand-written C++"
	@echo "make yardstick  how often a gradient is wrong, and whether that is said (YARDSTICK=folder)"
	@echo "make array-api  the public tests of the array API standard on wengert.numpy (ARRAY_API=folder)"
	@echo "make docs     these pages as HTML in out/docs/"
	@echo "make clean    remove what these made"

demo: export MPLBACKEND = Agg
demo: .venv/ready
	.venv/bin/python examples/digits.py
	@for example in examples/0*.py; do echo; echo "--- $$example"; .venv/bin/python $$example || exit 1; done

test: export WENGERT_PROFILE ?= ci
test: export OPENBLAS_NUM_THREADS = 1
test: check
	$(PYTEST) -m "not nightly" --hypothesis-seed=0

check: .venv/ready
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy --strict src
	.venv/bin/lint-imports --no-logo

quick: export OPENBLAS_NUM_THREADS = 1
quick: .venv/ready
	$(PYTEST) -x -m "not nightly" $(wildcard tests/test_tiny.py tests/laws)

nightly: export WENGERT_PROFILE = nightly
nightly: export OPENBLAS_NUM_THREADS = 1
nightly: check
	WENGERT_FORCE_JIT=1 $(PYTEST) -m "not nightly" -W ignore::wengert.errors.NativeWarning tests/numpy_api tests/scipy_api \
		tests/api tests/transforms tests/trace tests/tape tests/nn tests/optim tests/test_confusion.py
	$(PYTEST)

bench: .venv-bench/ready
	.venv-bench/bin/python benchmarks/against_autograd.py
	.venv-bench/bin/python benchmarks/overhead.py
	.venv-bench/bin/python benchmarks/against_peers.py
	.venv-bench/bin/python benchmarks/compile_time.py
	.venv-bench/bin/python benchmarks/cpp/run.py

# the yardstick's data are not part of this repository
YARDSTICK ?= ../shared/yardstick
yardstick: .venv/ready
	.venv/bin/python benchmarks/trust/run.py $(YARDSTICK)

docs: .venv-docs/ready
	.venv-docs/bin/python -m sphinx -W --keep-going docs out/docs

clean:
	rm -rf .venv .venv-bench .venv-docs out docs/names docs/gallery_built .*_cache .hypothesis
	find src tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} +

# ARRAY_API: a clone of github.com/data-apis/array-api-tests with its submodule array-api. What fails there
# (18 floor_divide, 8 complex expm1 and tanh at infinities) is NumPy's own; array_api_strict fails 29.
array-api: export ARRAY_API_TESTS_MODULE = wengert.numpy
array-api: export ARRAY_API_TESTS_VERSION = 2024.12
array-api: .venv/ready
	@test -d "$(ARRAY_API)/array_api_tests" || { echo "git clone --recurse-submodules https://github.com/data-apis/array-api-tests"; \
		echo "then: make array-api ARRAY_API=array-api-tests"; exit 1; }
	$(RUN) pip install -q pytest-json-report ndindex hypothesis
	cd "$(ARRAY_API)" && $(CURDIR)/$(RUN) pytest array_api_tests -q --max-examples=$(EXAMPLES) --disable-deadline

EXAMPLES ?= 5

# ---------------------------------------------------------------------------- environments

.venv/ready: packages = -e '.[test,demo]'
.venv-bench/ready: packages = -e . -r benchmarks/requirements.txt
.venv-bench/ready: benchmarks/requirements.txt
.venv-docs/ready: packages = -e '.[docs]'

# Debian splits ensurepip from its Python: there the environment is made without pip, and the
# machine's own pip installs into it.
.venv/ready .venv-bench/ready .venv-docs/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "wengert needs Python 3.11 or newer, and $(PYTHON) is not. Name another: make PYTHON=python3.12"; exit 1; }
	@set -e; \
	if $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
	  $(PYTHON) -m venv $(@D); pip="$(@D)/bin/python -m pip"; \
	elif $(PYTHON) -c 'import pip, venv' 2>/dev/null; then \
	  $(PYTHON) -m venv --without-pip $(@D); pip="$(PYTHON) -m pip --python $(@D)/bin/python"; \
	else \
	  echo "$(PYTHON) can make no virtual environment: it has neither ensurepip nor pip."; \
	  echo "On Debian and Ubuntu: apt install python3-venv"; exit 1; \
	fi; \
	echo "Installing into $(@D), once ..."; \
	$$pip install --quiet $(packages)
	@touch $@
