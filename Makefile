# make demo    three daemons find each other and sign        make test    the whole suite
# make check   format, lint, types, imports, fast tests      make help    every target
PY := .venv/bin/python
PYTEST := $(PY) -m pytest -n auto
CODE := daemon rpc musig2 p2p config
ARGS :=

.DEFAULT_GOAL := help
.PHONY: help env demo test check format bench lock clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 18

env:
	@sh .ci/environment

demo: env ## N daemons on loopback make one signature: make demo ARGS="--signers 5 --scheme bip340"
	@$(PY) -m daemon.main demo $(ARGS)

test: env ## the whole suite, real daemons included
	@echo "The whole suite takes about 6 minutes on two cores."
	@$(PYTEST) $(ARGS)

check: env ## format, lint, types, import contracts, fast tests: under a minute
	@$(PY) -m ruff format --check $(CODE) tests examples
	@$(PY) -m ruff check $(CODE) tests examples
	@$(PY) -m mypy
	@.venv/bin/lint-imports
	@$(PYTEST) -m "not network and not slow" $(ARGS)

format: env ## write the format and the mends that ruff knows
	@$(PY) -m ruff format $(CODE) tests examples
	@$(PY) -m ruff check --fix $(CODE) tests examples

LOCK := uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11

lock: ## write the lock files anew from pyproject.toml (needs uv on the PATH)
	$(LOCK) --extra dev -o requirements-dev.lock
	$(LOCK) -c requirements-dev.lock -o requirements.lock

clean: ## remove what the targets made
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
