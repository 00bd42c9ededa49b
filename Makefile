# Everything a person types. Each target sets up what it needs; nothing but Python 3.11+, pip and make is assumed.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: setup playground run test check bench soak env-example constraints clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

playground: setup
	$(BIN)/dify-chat-bridge playground

run: setup
	$(BIN)/dify-chat-bridge run

# Side by side, because many tests wait for processes of their own more than they compute. Those that start several bridges and a
# PostgreSQL each run one after the other (tests/conftest.py).
TEST_WORKERS ?= 3

test: setup
	$(BIN)/python -m pytest --numprocesses $(TEST_WORKERS) --dist loadgroup

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python -m tests.benchmarks

# Kills the bridge at 200 random moments, and again and again while several of them answer a thousand questions; SOAK_SEED=1234 asks
# for other moments. About half an hour.
soak: setup
	SOAK_RUNS=$${SOAK_RUNS:-200} $(BIN)/python -m pytest tests/recovery tests/many

env-example: setup
	$(BIN)/dify-chat-bridge env-example > .env.example

# Versions only: where they come from is each machine's own affair.
constraints: setup
	$(BIN)/python -m pip freeze --exclude-editable > constraints.txt

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .hypothesis .import_linter_cache
