# Two commands do all the set-up on a machine with Python 3.11+ (with venv) and make:
#   make demo   a virtual environment, the package, one whole experiment
#   make test   a virtual environment, the package, all tests
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Those that need nothing more; image_classification needs torch.
EXAMPLES := digits topic_classification flask_sdk_script
SEEDS ?= 10000
# Tests with processes wait more than they compute: two for each core. Slow ones come first, all in
# a row: whoever is through takes some of them over.
WORKERS ?= $(shell expr 2 \* `nproc`)
BENCHMARKS := dispatch throughput startup idle bulk longpoll claim loop_overhead report dashboard results_files recovery watched

# Tests and benchmarks start thousands of processes: what they load is compiled once.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo examples test unit lint format docs check wheel deb bench soak torture clean

help: ## List the targets.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.demo: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e '.[demo]'
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	@touch $@ $(VENV)/.demo

$(VENV)/.bench: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet -e '.[bench]'
	@touch $@

demo: $(VENV)/.demo ## Run the digits experiment to its end.
	$(BIN)/alectio-agent run --config examples/digits/agent.yaml
	$(BIN)/python examples/digits/summary.py

examples: $(VENV)/.demo ## Run the examples that need nothing more.
	@for name in $(EXAMPLES); do \
	  printf '\n%s\n' "examples/$$name"; \
	  $(BIN)/alectio-agent run --config "examples/$$name/agent.yaml" || exit; \
	done
	@printf '\nReports:\n'
	@find $(EXAMPLES:%=$(CURDIR)/examples/%/results) -name report.html

test: $(VENV)/.dev ## Run all tests.
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal tests

unit: $(VENV)/.dev ## Run the unit tests only.
	$(BIN)/python -m pytest -n auto tests/unit

# One command a line; each ends with 1 when a promise was broken.
torture: $(VENV)/.dev ## Ten thousand simulated worlds, then real kills and faults: an hour on two cores.
	$(BIN)/python -m tests.simulation --seeds 0 $(SEEDS)
	$(BIN)/python -m tests.torture kills
	$(BIN)/python -m tests.torture network

lint: $(VENV)/.dev ## Format check, lint, types, import contracts, count of ignores.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@printf 'type: ignore %s, noqa %s, no cover %s\n' \
	  "$$(grep -rE 'type: ignore' alectio_agent --include=*.py | wc -l)" \
	  "$$(grep -rE '# noqa' alectio_agent --include=*.py | wc -l)" \
	  "$$(grep -rE 'pragma: no cover' alectio_agent --include=*.py | wc -l)"

format: $(VENV)/.dev ## Format, and mend what can be mended.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.dev ## Write what is made from the code: errors.md, cli.md, problems.md, openapi.json, the units.
	$(BIN)/python -m alectio_agent.cli.reference docs
	$(BIN)/python -m alectio_agent.hub.api.openapi docs/openapi.json
	$(BIN)/python -m alectio_agent.cli.units packaging/systemd

check: lint test ## Everything that main must pass.

wheel: $(VENV)/.dev ## Build the wheel and the sdist, into dist.
	rm -f dist/*.whl dist/*.tar.gz
	$(BIN)/python -m hatchling build

deb: wheel ## Build the Debian packages, with Debian's tools and Python, into dist.
	rm -f dist/*.deb
	packaging/build-deb dist/*.whl dist

bench: $(VENV)/.bench ## Measure everything beside its peers, and write the figures into the READMEs.
	@echo "About half an hour on two quiet cores, longpoll up to ten minutes of it."
	@for name in $(BENCHMARKS); do \
	  echo "$$(date +%H:%M) $$name"; \
	  $(BIN)/python -m "benchmarks.$$name" --json benchmarks/results || failed="$$failed $$name"; \
	done; \
	$(BIN)/python -m benchmarks.tables || exit; \
	test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

soak: $(VENV)/.dev ## Run 10,000 small jobs over a bad line, and see what grows.
	$(BIN)/python -m benchmarks.soak --json benchmarks/results
	$(BIN)/python -m benchmarks.tables

clean: ## Remove the virtual environment and everything generated.
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache dist examples/*/.alectio examples/*/results
