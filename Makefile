# The two commands are `make demo` and `make test`; both set up what they need.
# Everything is installed into .venv at the versions of constraints.txt.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet

.PHONY: setup setup-dev demo test test-inside test-outside check audit format bench clean

setup: $(VENV)/installed
setup-dev: $(VENV)/installed-dev

$(VENV)/installed: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: make PYTHON=/path/to/python3.11 …"; exit 2; }
	@echo "Setting up $(VENV): about 3 minutes and 7 GB, most of it torch."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install -c constraints.txt -e .
	@echo "Compiling what reads recordings: about a minute, once."
	@$(BIN)/python -m pipeline.warm
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@

demo: setup
	@$(BIN)/cellcensus demo

check: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# Two at a time, one a core: what computes and stores, and what people and machines see of it.
INSIDE := tests/benchmarks tests/cellcensus tests/db tests/flows tests/models tests/pipeline

test: check
	@$(MAKE) --no-print-directory -j2 test-inside test-outside

test-inside:
	$(BIN)/pytest $(INSIDE)

test-outside:
	$(BIN)/pytest $(addprefix --ignore=,$(INSIDE))

# In an environment of its own: the auditor's dependencies are not ours. Without --strict a package
# that the index does not answer for would count as good.
audit: setup
	@test -x $(VENV)/audit/bin/pip-audit || { $(BIN)/python -m venv $(VENV)/audit && \
		$(VENV)/audit/bin/pip --disable-pip-version-check --quiet install pip-audit==2.10.1; }
	@$(VENV)/audit/bin/pip-audit --strict --disable-pip --no-deps --requirement constraints.txt || { \
		echo "Either a package above has a known vulnerability: renew it in constraints.txt and run make test."; \
		echo "Or the package index gave no answer: a mirror may not have advisories; run this where pypi.org is reached."; \
		exit 1; }

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-dev
	@$(PIP) install -c constraints.txt -e '.[dev,bench]'
	@$(PIP) install -c constraints.txt --no-deps dcnum
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
