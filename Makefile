# Everything starts from nothing but a Python of 3.11 or newer; PYTHON=python3.12 chooses another.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: help demo test lint types bench prove mutate removal lock clean

help:            ## list these targets
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.run          ## a day of a shop and of a service firm, sent through the sandbox
	$(BIN)/connector demo

test: $(VENV)/.test         ## run the tests
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.test         ## style and types, as .ci/run asks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.test        ## print every figure of docs/ and the machine it was measured on
	$(BIN)/python -m benchmarks

prove: $(VENV)/.test        ## the long proofs, resumable: kill at random instants, lose nothing
	$(BIN)/python -m tests.proofs

mutate: $(VENV)/.test       ## break every line of the shipped plays, and see an example fail
	$(BIN)/python -m tests.mutation

removal: $(VENV)/.test      ## take out each check of governance in turn, and see a test fail
	$(BIN)/python -m tests.governance

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"connector needs Python 3.11 or newer, and $(PYTHON) is {v[0]}.{v[1]}: name a newer one, e.g. make test PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV) || { echo "Python cannot make a virtual environment: install its venv module (Debian: apt install python3-venv)"; exit 1; }
	@touch $@

$(VENV)/.run: $(VENV)/.python requirements/run.txt pyproject.toml
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements/test.txt
	$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@

# The locks hold hashes and no index address: whatever registry pip is set to must serve these very files.
lock:            ## write requirements/*.txt anew from pyproject.toml
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile $(LOCK) --group test -o requirements/test.txt
	$(VENV)-lock/bin/uv pip compile $(LOCK) --constraints requirements/test.txt -o requirements/run.txt
	rm -rf $(VENV)-lock

LOCK = pyproject.toml --group build --universal --python-version 3.11 --upgrade --quiet \
	--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock"

clean:           ## remove what these targets made
	rm -rf $(VENV) $(VENV)-lock build dist .mypy_cache .ruff_cache .hypothesis .prove
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
