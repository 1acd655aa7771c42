# Two commands on a fresh machine: `make demo` and `make test`. Everything needed is installed into .venv from uv.lock.
PYTHON ?= python3
UV := .venv/bin/uv
UV_VERSION := 0.13.9
# What goes to AWS: the Python of Lambda, and a folder with your issuers.yaml and connections.yaml.
LAMBDA_PYTHON ?= 3.12
CONFIGURATION ?= infra/aws/example
OSLS := build/aws/osls
# The cloud that `make e2e-aws` runs on; it runs functions with its own Python, so the package is made for that.
MINISTACK := build/aws/ministack
RIE := build/aws/aws-lambda-rie
# What `make e2e-localstack` runs on: the last LocalStack that starts without an engine of containers.
LOCALSTACK := build/localstack
LOCALSTACK_PYTHON := 3.11
# Google's own fake of Pub/Sub, which the small server of the tests is held against.
PSTEST := build/debian/pstest
E2E_PYTHON ?= $(shell .venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')

# Where Python may not keep what it compiles, each of the hundreds of processes of a run compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE

# What `make check` does at once; whichever fails, it fails.
CHECKS := check-style check-layers check-types check-rules

.DEFAULT_GOAL := help
.PHONY: $(CHECKS) check-in-turn check-others help setup demo up test check format docs chaos faults fuzz bench growth profile sbom clean package-aws e2e-aws e2e-localstack pstest

help: ## Say what can be made.
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

setup: .venv/.ready ## Make .venv with a pinned uv and the lock file.

.venv/.ready: pyproject.toml uv.lock
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed")'
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	test -x $(UV) || .venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(UV) sync --frozen --quiet || $(UV) sync --frozen --quiet --system-certs
	touch $@

demo: setup ## Show the main job on real things, in under 30 seconds.
	.venv/bin/carapulse demo

up: setup ## Run everything in one process.
	.venv/bin/carapulse up

check: setup ## Format, lint, strict types, import contracts, house tests, policy tests.
	$(MAKE) --no-print-directory --jobs 2 --output-sync $(CHECKS)

check-types:
	.venv/bin/mypy

check-rules:
	.venv/bin/pytest -q tests/house tests/policies

check-style:
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/hadolint infra/images/core/Dockerfile infra/images/toolbox/Dockerfile

check-layers:
	.venv/bin/lint-imports

test: setup ## Everything that `make check` does, and every other test.
	$(MAKE) --no-print-directory --jobs 2 check-in-turn check-others

check-in-turn:
	$(MAKE) --no-print-directory $(CHECKS)

check-others:
	.venv/bin/pytest -q -n 3 --dist worksteal tests --ignore=tests/house --ignore=tests/policies --ignore=tests/bench --ignore=tests/aws --ignore=tests/localstack

format: setup ## Let the tools write what they can.
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

docs: setup ## Render docs/reference from the code.
	.venv/bin/python -m docs.render

chaos: setup ## Runs over a queue that duplicates, delays, reorders and loses, and whatever people ask meanwhile: many seeds.
	CARAPULSE_CHAOS=40 CARAPULSE_EXAMPLES=300 .venv/bin/pytest -q -n 2 tests/faults/test_disorder.py tests/faults/test_everything_at_once.py

bench: setup ## Measure, as ratios side by side in one run.
	$(UV) sync --frozen --quiet --group bench || $(UV) sync --frozen --quiet --group bench --system-certs
	.venv/bin/pytest -q -s tests/bench --ignore=tests/bench/test_growth_of_the_log.py

growth: setup ## Measure a database of ten million events beside a small one; GROWTH_EVENTS says how many instead.
	.venv/bin/pytest -q -s tests/bench/test_growth_of_the_log.py

profile: setup ## Say where the time of a step goes.
	.venv/bin/python -m tests.bench.profiled

faults: setup ## End the program in every way, and kill a worker at every commit and every effect of a run.
	FAULTS_ALL=1 .venv/bin/pytest -q tests/faults
	.venv/bin/python -m tests.faults.killing

fuzz: setup ## Ask the API what nobody thought of, many times, others each time.
	HYPOTHESIS_PROFILE=campaign CARAPULSE_FUZZ=100 .venv/bin/pytest -q -n 2 --timeout 600 tests/integration/http/test_fuzzed.py

sbom: setup ## Write build/sbom.json: what an installation is made of, in CycloneDX.
	mkdir -p build
	$(UV) export --quiet --frozen --no-dev --group lambda --preview-features sbom-export --format cyclonedx1.5 --output-file build/sbom.json

package-aws: setup $(OSLS) ## Make build/aws/carapulse.zip and build/aws/template; CONFIGURATION says with which settings.
	.venv/bin/python -m infra.aws.package --python $(LAMBDA_PYTHON) --configuration $(CONFIGURATION)
	LAMBDA_PYTHON=$(LAMBDA_PYTHON) $(OSLS)/node_modules/.bin/osls package --package build/aws/template
	.venv/bin/pytest -q tests/aws/test_package.py

e2e-aws: $(MINISTACK) $(RIE) ## Deploy the package into an AWS on this machine, and bring changes through it.
	$(MAKE) package-aws LAMBDA_PYTHON=$(E2E_PYTHON)
	.venv/bin/pytest -q tests/aws/test_deployed.py tests/aws/test_emulated.py tests/aws/test_same_log.py

e2e-localstack: $(LOCALSTACK) ## Have LocalStack's Step Functions and SQS carry changes, with the functions as workers that poll.
	.venv/bin/pytest -q tests/localstack

pstest: $(PSTEST) ## Hold our use of Pub/Sub, and the tests' own server of it, against Google's own fake.
	.venv/bin/pytest -q tests/contracts/test_brokers.py

$(PSTEST): tests/world/pstest/main.go | setup
	rm -f $@
	.venv/bin/python -m tests.world.pstest.building

$(LOCALSTACK): | setup
	test -x $@/bin/python || $(UV) venv --quiet --python $(LOCALSTACK_PYTHON) $@
	$(UV) pip install --quiet --python $@/bin/python --exclude-newer 2025-10-15 'localstack-core[base-runtime,runtime]==4.9.2' setuptools

$(RIE): infra/aws/emulator.py | setup
	.venv/bin/python -m infra.aws.emulator

$(OSLS): infra/aws/package.json infra/aws/package-lock.json
	mkdir -p $@
	cp $^ $@
	npm ci --prefix $@ --ignore-scripts --no-audit --no-fund
	touch $@

$(MINISTACK): setup
	test -x $@/bin/ministack || $(UV) venv --quiet --python $(E2E_PYTHON) $@
	test -x $@/bin/ministack || $(UV) pip install --quiet --python $@/bin/python --exclude-newer 2026-11-25 ministack==1.5.33 cryptography==50.0.2

clean: ## Remove what make made.
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache
