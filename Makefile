# Two commands for a newcomer: `make demo` shows what the program does, `make test` checks all of it.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
OLDEST := .oldest
JOBS   ?= auto
ROUNDS ?= 5
HISTORIES ?= 2400
SEED   ?= $(shell date +%s)
ONE_IN ?= 1

# What shows times or meets an emulator, beside the end-to-end tests.
ELSEWHEN := calendar clients emulator manifests operations render timetable

# Many cases over paths that other tests cover, and pages in a browser, which other tests write: measuring coverage makes
# them three times as long and shows nothing more.
MANY_CASES := tests/browser tests/histories tests/kill tests/clients/test_clients_redaction.py tests/emulator/test_emulator_nonsense.py \
  tests/timetable/test_timetable_every_zone.py $(addprefix tests/end_to_end/test_e2e_,$(addsuffix .py, \
  accept_items_law accept_law attribution by_hand_histories faults hostile ledger_histories \
   secret_histories starts text ways_out))

.PHONY: help demo install lint types test coverage elsewhen explore histories oldest schemas pictures bench clean

help:            ## Show these lines
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo:            ## Watch manifests become job schedules, on an emulated ACC and Automate MFT
	@$(PYTHON) examples/demo.py

install: $(VENV)/.installed   ## Make the development environment

$(VENV)/.installed: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[dev]'
	@touch $@

lint: install    ## ruff: style and likely mistakes; import-linter: what may import what
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo

types: install   ## mypy --strict
	@$(BIN)/mypy
	@for each in tests/conftest.py tests/*/conftest.py; do MYPYPATH=tests $(BIN)/mypy --no-error-summary "$$each" || exit 1; done

test: lint types ## All checks: lint, types, every test, branch coverage
	@rm -f .coverage .coverage.*
	@env $$(tests/provide-node-packages.sh) $(BIN)/coverage run -m pytest -n $(JOBS) --durations=8 $(addprefix --ignore=,$(MANY_CASES))
	@$(MAKE) --no-print-directory coverage
	@env $$(tests/provide-browser.sh) $$(tests/provide-node-packages.sh) $(BIN)/python -m pytest -n $(JOBS) --durations=8 $(MANY_CASES)

elsewhen: install ## Tests at other dates and hours, elsewhere, in random order; ONE_IN=3: a third
	@TESTS_BEGIN=2029-06-16T17:44:55+00:00 TZ=Pacific/Chatham \
	  $(BIN)/python -m pytest -q -n $(JOBS) --shuffle $(SEED) --one-in $(ONE_IN) tests/end_to_end
	@TESTS_BEGIN=2027-12-31T23:59:50+00:00 TZ=America/St_Johns \
	  $(BIN)/python -m pytest -q -n $(JOBS) --shuffle $(SEED) --one-in $(ONE_IN) $(addprefix tests/,$(ELSEWHEN))

explore: install ## Search for new cases: ROUNDS=5 of every generated test, each with other seeds
	@for round in $$(seq $(ROUNDS)); do \
	  HISTORIES_FROM=$$(date +%s) HYPOTHESIS_PROFILE=explore $(BIN)/python -m pytest -q -n $(JOBS) -m generated --ignore=tests/kill || exit 1; \
	done

histories: install ## Play 2400 generated histories of an estate, or HISTORIES=N of them, and count their steps
	@HISTORIES=$(HISTORIES) $(BIN)/python -m pytest -q -n $(JOBS) tests/histories

oldest:          ## A part of the tests with the oldest versions that pyproject.toml declares
	@test -x $(OLDEST)/bin/python || $(PYTHON) -m venv $(OLDEST)
	@$(OLDEST)/bin/python -m pip install -qq --disable-pip-version-check --constraint tests/oldest.txt --editable '.[dev]'
	@$(OLDEST)/bin/python -m pytest -q -n $(JOBS) tests/calendar tests/clients tests/emulator tests/ledger tests/manifests

coverage: install
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --format=total | sed 's/^/branch coverage, percent: /'

schemas: install ## Write schemas/, which editors take, from reconciler/schemas
	@$(BIN)/python -m tools.published_schemas

pictures: install ## Make the README's pictures anew, in Chromium, from the demo estate
	@$(BIN)/python -m tools.pictures

bench: install   ## Speed and memory, as ratios measured in one run
	@$(BIN)/python -m benchmarks

clean:           ## Remove what these commands made
	@rm -rf $(VENV) $(OLDEST) .demo .mypy_cache .ruff_cache .import_linter_cache .node-packages .pytest_cache .hypothesis .coverage .coverage.* htmlcov
