# make demo    three daemons find each other and sign        make test    the whole suite
# make check   format, lint, types, imports, fast tests      make help    every target
PY := .venv/bin/python
PYTEST := $(PY) -m pytest -n auto
# Half of the suite waits, for processes to start and for others to be missing: twice as many workers as cores.
WORKERS = $$(expr 2 \* $$(getconf _NPROCESSORS_ONLN))
CODE := daemon rpc musig2 p2p config clients/python
ARGS :=
# Kept where each module is: what the targets start would otherwise compile all modules again, twice as long a start.
unexport PYTHONDONTWRITEBYTECODE
# Of what takes longer than a test of the suite may.
LONG := -o faulthandler_timeout=0
PERCENT := 100
MINUTES := 20
FILE := build/adversary.json

LOCK := uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11

.DEFAULT_GOAL := help
.PHONY: help env generate env-run demo test check format bench bench-start bench-musig2 bench-rpc bench-discovery bench-signing bench-prices bench-policy bench-page cover-musig2 mutate-musig2 start-matrix adversary adversary-page nightly test-typescript test-strangers test-strangers-browser test-strangers-go check-libp2p test-consensus test-namespaces test-ipv6 test-nat test-upnp test-tor test-tor-network test-install test-install-kit test-pythons test-systemd test-docker page test-browser check-unit lock clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 24

env:
	@sh .ci/environment dev

env-run:
	@sh .ci/environment run

demo: env-run ## N daemons on loopback make one signature: make demo ARGS="--signers 5 --scheme bip340"
	@$(PY) -m daemon.main demo $(ARGS)

test: env ## the whole suite, real daemons included
	@echo "About 4 minutes on two cores that have nothing else to do. The twenty slowest tests are listed at the end."
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal --durations=20 $(ARGS)

test-pythons: ## the whole suite under each Python from 3.11 to 3.13 that is here, in clones under build (5 minutes each)
	@for version in 3.11 3.12 3.13; do \
		"python$$version" -c '' 2>/dev/null || { echo "There is no Python $$version here."; continue; }; \
		rm -rf "build/python-$$version" && git clone -q . "build/python-$$version" \
		&& $(MAKE) -C "build/python-$$version" test PYTHON="python$$version" || exit 1; \
	done

check: env ## format, lint, types, import contracts, fast tests: about a minute
	@$(PY) -m ruff format --check $(CODE) tests examples setup.py vendor
	@$(PY) -m ruff check $(CODE) tests examples setup.py vendor
	@$(PY) -m mypy
	@.venv/bin/lint-imports
	@$(PYTEST) -m "not network and not slow" $(ARGS)

format: env ## write the format and the mends that ruff knows
	@$(PY) -m ruff format $(CODE) tests examples setup.py vendor
	@$(PY) -m ruff check --fix $(CODE) tests examples setup.py vendor

generate: env ## write what is made from the table of methods and from the settings
	@$(PY) -m rpc.schema.generate_handlers
	@$(PY) -m rpc.schema.generate_answers
	@$(PY) -m rpc.schema.python_kit
	@$(PY) -m rpc.schema.generate_cli
	@$(PY) -m rpc.schema.generate_typescript
	@$(PY) -m rpc.schema.generate_docs
	@$(PY) -m rpc.schema.generate_man
	@$(PY) -m tests.project.limits_page
	@$(PY) -m tests.project.pages.prices_page
	@$(PY) -m daemon.main config sample > docs/musigd.toml

bench: env ## every benchmark, as a table and build/bench/results.json: make bench ARGS="--against COMMIT" (about an hour)
	@$(PY) -m tests.bench $(ARGS)

bench-start: env ## seconds until ready, memory when idle, musig-cli
	@$(PY) -m tests.bench start $(ARGS)

bench-musig2: env ## what musig2 costs over bare calls into the C library
	@$(PY) -m tests.bench musig2 $(ARGS)

bench-rpc: env ## calls and events beside a bare aiohttp handler; answers while sessions run
	@$(PY) -m tests.bench rpc $(ARGS)

bench-discovery: env ## ingest, search, synchronisation, reach: make bench-discovery ARGS=--small
	@$(PY) -m tests.bench discovery directory $(ARGS)

bench-signing: env ## latency and throughput of sessions beside their floor
	@$(PY) -m tests.bench signing $(ARGS)

bench-prices: env ## what each kind of work for a peer costs a daemon, beside the price that is charged
	@$(PY) -m tests.bench prices $(ARGS)

bench-policy: env ## what policy and audit log cost a session, in CPU
	@$(PY) -m tests.bench policy $(ARGS)

bench-page: env ## write docs/performance.md and the figures of README from build/bench/results.json
	@$(PY) -m tests.bench.page build/bench/results.json

cover-musig2: env ## line and branch coverage of the cryptography: all of it, or it fails
	@$(PYTEST) tests/musig2 tests/protocol/review -m "not slow" --cov=musig2 --cov-config=tests/musig2/coverage.ini

mutate-musig2: env ## mutation testing of the cryptography: make mutate-musig2 MINUTES=20
	@$(PY) -m tests.musig2.mutate --minutes $(MINUTES) --jobs 2

start-matrix: env ## how each command ends in every environment that a start may meet, as a table
	@$(PY) -m tests.start.matrix $(ARGS)

adversary: env ## attacks on a real daemon beside an honest pair: make adversary ARGS="--seconds 15 --seed 1 wrong_aggregates"
	@$(PY) -m tests.adversary $(ARGS)

adversary-page: env ## write a run into the table of docs/security.md: make adversary-page FILE=build/adversary.json
	@$(PY) -m tests.adversary.table $(FILE)

nightly: env ## what is too long for `make test`: about an hour; a hundredth of it: make nightly PERCENT=1
	@$(PY) -m tests.musig2.differential $$(expr 1000 \* $(PERCENT))
	@$(PY) -m tests.protocol.sim.run_schedules $$(expr 100 \* $(PERCENT))
	@MUSIGD_KILLS=$$(expr 2 \* $(PERCENT)) $(PYTEST) $(LONG) tests/signing/crash/test_kill_random.py tests/signing/crash/test_kill_policy.py
	@MUSIGD_DAY=$$(expr 10 \* $(PERCENT)) $(PY) -m pytest -q -s $(LONG) tests/daemon_ops/keys/test_a_days_traffic.py
	@$(PY) -m tests.rpc.calls.slow_requests $$(expr 500 \* $(PERCENT))
	@$(PY) -m tests.rpc.events.slow_resume $$(expr 100 \* $(PERCENT))
	@$(PY) -m tests.start.matrix

test-typescript: env ## the TypeScript client: types, unit tests, real daemons, the example from its tarball (needs Node 20, npm)
	@NODE="$(NODE)" $(PY) -m tests.clients.typescript.slow_kit

test-strangers: env ## a peer in JavaScript: the protocol's vectors, then among real daemons over TCP and WebSocket (needs Node 20, npm; 5 minutes)
	@NODE="$(NODE)" $(PY) -m tests.strangers.slow_vectors
	@NODE="$(NODE)" $(PY) -m tests.strangers.slow_peer $(ARGS)

test-strangers-browser: ## the JavaScript peer in a page of a real Chromium, among real daemons (needs chromium, Node 20, npm; 1 minute)
	@sh .ci/environment browser
	@NODE="$(NODE)" $(PY) -m tests.strangers.slow_peer page $(ARGS)

test-strangers-go: env ## a peer on go-libp2p, among real daemons (needs Python 3.11 on x86-64 Linux, and the package index; 2 minutes)
	@$(PY) -m tests.strangers.slow_peer go go-ws $(ARGS)

check-libp2p: env ## which guards of p2p the newest libp2p still needs (needs the package index; 5 minutes): ARGS=VERSION for another
	@$(PY) -m tests.libp2p.check $(ARGS)

test-consensus: env ## signatures and hashes judged by Bitcoin's own consensus library (needs the package index)
	@python3 -m pip install -q --no-deps --target build/consensus py-bitcoinkernel==0.1.0a5
	@PYTHONPATH=build/consensus $(PY) -m tests.musig2.taproot.consensus $(ARGS)

page: ## build the page anew from clients/page (needs Node 20 or newer and the npm registry)
	@cd clients/page && { [ node_modules -nt package-lock.json ] || npm ci --no-audit --no-fund; } && npm run --silent build

test-browser: ## the page in a real Chromium against real daemons; writes docs/page/*.png (needs chromium; 2 minutes)
	@sh .ci/environment browser
	@$(PYTEST) -n 0 $(LONG) tests/browser $(ARGS)

test-namespaces: env ## daemons in network namespaces that lose 20 % of their packets (needs root, ip, nft)
	@$(PY) -m tests.namespaces.slow_loss $(ARGS)

test-ipv6: env ## strangers with ranges of IPv6 full of identities, in a network namespace (needs root, ip, unshare; 1 minute)
	@$(PY) -m tests.namespaces.slow_ipv6 $(ARGS)

test-nat: env ## daemons behind routers, relays outside: find each other and sign, whatever happens (needs root, ip, nft; 5 minutes)
	@$(PY) -m tests.namespaces.slow_nat $(ARGS)

test-upnp: env ## daemons behind routers that run miniupnpd (UPnP, NAT-PMP, PCP) are dialled from outside (needs root, ip, nft, miniupnpd; 6 minutes)
	@$(PY) -m tests.namespaces.slow_upnp $(ARGS)

test-tor: env ## a daemon behind a SOCKS5 proxy, in a network namespace whose every packet is read (needs root, ip, nft; 1 minute)
	@$(PY) -m tests.namespaces.slow_tor $(ARGS)

test-tor-network: env ## two daemons over onion services of a real, private Tor network (needs root, ip, nft, tor; 1 minute)
	@$(PY) -m tests.namespaces.slow_tor_network $(ARGS)

test-install: env ## fresh clones, installed in every way, without a compiler (needs the package index)
	@$(PY) -m tests.project.slow_install $(ARGS)

test-install-kit: env ## the Python kit, installed alone for every Python on the PATH: signs, import time, size (needs the package index)
	@$(PY) -m tests.clients.python.slow_install_kit $(ARGS)

test-systemd: env ## the unit under a real systemd, in a container (needs root, debootstrap, systemd-nspawn; 4 minutes)
	@$(PYTEST) -n 0 $(LONG) tests/systemd $(ARGS)

test-docker: env ## the image and compose.yaml under a real engine (needs root, dockerd, debootstrap; 4 minutes)
	@$(PYTEST) -n 0 $(LONG) tests/docker $(ARGS)

check-unit: ## what systemd says of the unit file (needs systemd-analyze)
	@sed 's|=/opt/musigd/bin/musigd.*|=/bin/true|' systemd/musigd.service > "$${TMPDIR:-/tmp}/musigd.service"
	systemd-analyze verify "$${TMPDIR:-/tmp}/musigd.service"
	systemd-analyze security --offline=true "$${TMPDIR:-/tmp}/musigd.service" | tail -1

lock: ## write the lock files anew from pyproject.toml (needs uv on the PATH)
	$(LOCK) --group dev -o requirements-dev.lock
	$(LOCK) --group run -c requirements-dev.lock -o requirements.lock
	$(LOCK) --group build -c requirements-dev.lock -o requirements-build.lock
	$(LOCK) --group browser -c requirements-dev.lock -o requirements-browser.lock
	python3 vendor/make_wheel.py
	python3 vendor/list_published.py

clean: ## remove what the targets made
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
