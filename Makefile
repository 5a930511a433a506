# Everything starts from nothing but a Python of 3.11 or newer; PYTHON=python3.12 chooses another.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: help demo test lint types bench prove prism mutate removal browser clients tracker lock clean

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

prism: $(VENV)/.test        ## the Twilio adapter against Twilio's own OpenAPI description; needs npm
	@mkdir -p .prism
	@npm install --prefix .prism --no-save --no-package-lock --no-audit --no-fund --silent --ignore-scripts @stoplight/prism-cli@5
	PRISM=.prism/node_modules/.bin/prism $(BIN)/python -m pytest tests/prism/twilio.py

clients: $(VENV)/.test      ## nine real clients deliver, each answer lost once; needs npm, chromium, curl
	$(BIN)/python -m tests.clients

browser: $(VENV)/.test      ## tracker and forms in a real Chromium, on pages with a strict policy; needs npm
	$(BIN)/python -m pytest tests/browser/try_*.py

mutate: $(VENV)/.test       ## break every line of the shipped plays, and see an example fail
	$(BIN)/python -m tests.mutation

removal: $(VENV)/.test      ## take out each check of governance in turn, and see a test fail
	$(BIN)/python -m tests.governance

# terser's version stands in tests/browser/try_tracker.py too, which makes it again and compares.
tracker:         ## make connector/web/tracker/t.min.js of the t.js beside it; needs npm
	cd connector/web/tracker && npx --yes terser@5.51.2 t.js --compress passes=3,unsafe_arrows=true --mangle --ecma 2020 --output t.min.js
	cd connector/web/tracker && sha256sum t.js | cut -d' ' -f1 > t.js.sha256

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
	rm -rf $(VENV) $(VENV)-lock build dist .mypy_cache .ruff_cache .hypothesis .prove .clients
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
