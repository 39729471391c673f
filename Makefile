# A newcomer needs `make run`, `make reminders` and `make test`. Each sets everything up first, and none needs root.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: run reminders lint test coverage wheel fresh bench asterisk chaos chaos-reminders schema lock clean

$(READY): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

run: $(READY) ## run the receiver with simulated homes and a live board; Ctrl-C ends it
	$(BIN)/vetlla demo

reminders: $(READY) ## show the reminder service on simulators, with a citizen's telephone in the terminal; /help lists what it can do
	$(BIN)/vetlla reminders demo

lint: $(READY) ## check style, types and the imports between rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint ## check as lint does, and run all tests
	$(BIN)/pytest -n auto --dist worksteal

coverage: $(READY) ## show which branches the tests take; the tracer doubles their time
	$(BIN)/pytest -n auto --dist worksteal -m "not apart" --cov --cov-report=term:skip-covered

wheel: $(READY) ## build the wheel that docs/operations.md installs, into dist/
	rm -rf dist
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

fresh: ## try both commands of the README and the handbook's installation in a bare Debian 12
	scripts/fresh.sh

bench: $(READY) ## measure the receiver, side by side with pysiaalarm (bench/README.md)
	$(BIN)/python -m bench
	$(BIN)/python -m bench.receiving.supervision

ASTERISK := $(CURDIR)/var/asterisk
asterisk: $(READY) ## call a real Asterisk, in a chroot of Debian unstable, and look for its alarms; needs root and mmdebstrap
	$(BIN)/python -m bench.receiving.asterisk --chroot $(ASTERISK)

chaos: $(READY) ## kill -9 the receiver at random instants, in 100 loops
	$(BIN)/python -m bench.killing.chaos --loops 100

chaos-reminders: $(READY) ## kill -9 the reminder service at random instants, 200 times
	$(BIN)/python -m bench.killing.chaos_reminders --kills 200

schema: $(READY) ## write the schemas of the control socket and of what sinks send from their models, into docs/
	$(BIN)/python -m vetlla.receiver.control.schema > docs/control.schema.json
	$(BIN)/python -m vetlla.receiver.sinks.schema > docs/onward.schema.json

COMPILE = $(VENV)-lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-emit-index-url --no-emit-find-links --no-header --quiet

lock: ## pin all packages with hashes and without an index host, for development and (a part of them) for production
	$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/pip install --quiet uv
	$(COMPILE) --all-extras -o requirements-dev.lock
	$(COMPILE) --constraint requirements-dev.lock -o requirements.lock
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage* var
