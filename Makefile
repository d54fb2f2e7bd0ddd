# Needs Python 3.11 or newer and make; everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
SPREAD := -n auto --dist worksteal

.PHONY: demo test test-all lint types tests coverage bench docs setup clean

demo: setup
	@rm -rf out/demo
	@echo '$$ provisioner run samples/users.csv --emulator -o out/demo/results.csv'
	@$(BIN)/provisioner run samples/users.csv --emulator -o out/demo/results.csv; \
	  code=$$?; echo "exit code $$code (1: some rows were rejected; the sample holds broken ones on purpose)"; test $$code -eq 1

test: lint types tests

# Also what takes seconds for one promise, and all of what is alike: a quarter of an hour on two cores.
test-all: lint types
	$(BIN)/pytest --all $(SPREAD)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo --no-cache

types: setup
	$(BIN)/mypy

tests: setup
	$(BIN)/pytest $(SPREAD)

# Slower than the tests alone, for every process that they start is measured as well; pyproject.toml holds the floor.
coverage: setup
	$(BIN)/pytest --all $(SPREAD) --cov --cov-report=term-missing:skip-covered

# What cannot be installed is left out of the table, with a word.
bench: setup
	-PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install --quiet --editable '.[bench]'
	$(BIN)/python -m benchmarks.compared

# The pages as a site, in out/site. A link that leads nowhere is an error.
docs: setup
	@PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install --quiet --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

setup: .venv/.ready

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install --quiet --editable '.[dev,speed]'
# pip compiles what it installs, but not what it leaves in its place; and where PYTHONDONTWRITEBYTECODE is set, each
# start would compile the program anew: twice the time of a check of fifty rows.
	@$(BIN)/python -m compileall -q provisioner benchmarks tests
	@touch $@

clean:
	rm -rf .venv .nox out dist htmlcov .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
