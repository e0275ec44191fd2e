# The front door of patchtide.hybrid. `make help` lists what there is.
# Every target can be run alone and sets up what it needs by itself; recipes longer than a line or two live in tools/.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

VENV := .venv
PYTHON := $(VENV)/bin/python
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONPATH := $(CURDIR)/build/tree
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/build/tree
export ANSIBLE_NOCOLOR := 1
export PY_COLORS := 0
unexport ANSIBLE_CONFIG
# Most of what a short playbook costs is Python that compiles Ansible and SDKs, unless the result is kept.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache

# Two cores are what CI has. `make test-unit T="-k baseline"` hands further arguments to pytest.
WORKERS ?= 2
# Idle workers take tests over, because the longest take minutes.
PYTEST = $(PYTHON) -m pytest -n $(WORKERS) --dist worksteal --junitxml=build/report/$(@:test-%=%).xml
T ?=
#: What CI leaves to targets of its own, because it takes minutes.
HOSTS_CONTRACT = tests/hosts/chroot/test_contract.py
SLOW = tests/unit tests/contract tests/lab tests/playbooks tests/integration tests/hosts

##@ Try it
.PHONY: demo demo-abort lab
demo: setup-lab ## A whole patch cycle on the lab: policy, scan, signed plan, staged rollout, report (D=--slow explains it)
	@$(PYTHON) -m lab.demo $(D)

demo-abort: setup-lab ## The same with a canary wave that goes bad: the gate closes, exit status is not 0
	@$(PYTHON) -m lab.demo --abort $(D)

lab: setup-lab ## Start the lab and print the environment to explore it with
	@$(PYTHON) -m lab up

.PHONY: rehearse
rehearse: setup-lab ## Your policy on your exported estate, a month in minutes: POLICY=policy.yml ESTATE=estate.yml [FAULTS="offline=5%"]
	@$(PYTHON) -m lab.rehearse --policy "$(POLICY)" --estate "$(ESTATE)" $(foreach fault,$(FAULTS),--fault $(fault)) $(R)

##@ Set up
.PHONY: setup setup-lab system system-lab tree clean
setup-lab: system-lab $(VENV)/.lab tree ## What the lab needs, and nothing for development: about 140 MB

system-lab:
	@tools/setup.sh system-lab

$(VENV)/.lab: requirements.txt requirements-lab.txt constraints.txt tools/setup.sh tools/stock_collections.py
	@tools/setup.sh lab

setup: system $(VENV)/.ready tree ## Virtual environment, Python and Ansible dependencies, system packages when root

system:
	@tools/setup.sh system

$(VENV)/.ready: requirements.txt requirements-dev.txt constraints.txt tools/setup.sh
	@tools/setup.sh python

tree: ## Lay the collection out as build/tree/ansible_collections/patchtide/hybrid
	@tools/tree.sh

clean: ## Remove build/ (the lab must be down; the virtual environment stays)
	@tools/clean.sh

##@ Check
.PHONY: test-hosts-contract test-hosts-suites
.PHONY: test lint types test-unit test-fuzz test-checks test-contract test-integration test-lab test-inventory test-azure-rm test-playbooks test-hosts test-slow test-kill test-kill-short matrix matrix-short molecule sanity sizes
test: setup ## Everything CI runs, fastest first, with a summary
	@$(PYTHON) tools/run_checks.py

lint: setup ## ruff, shellcheck and ansible-lint (production profile, offline)
	@$(PYTHON) tools/lint.py

types: setup ## mypy --strict
	@$(PYTHON) tools/types_check.py

test-unit: setup ## Unit tests
	@$(PYTEST) -m "not slow" tests/unit $(T)

test-fuzz: setup ## Thousands of mutated files, hundreds of random rollouts (minutes); the unit tests try a few of them
	@PATCHTIDE_MUTATIONS=2000 PATCHTIDE_ROLLOUTS=500 $(PYTEST) tests/unit/plugins/plugin_utils/test_mutations.py \
		tests/unit/plugins/plugin_utils/drive/test_random_rollouts.py $(T)

test-checks: setup ## Rules of the tree: layers, sizes, documentation, argument specs, leaks
	@$(PYTEST) tests/checks $(T)

test-contract: setup ## One suite per port, on the fake and on the lab
	@$(PYTEST) -m "not slow" tests/contract $(T)

# Half of what a playbook's test takes is waiting, so that three of them at a time keep two cores busy.
test-contract test-integration test-playbooks test-kill test-kill-short: WORKERS = 3
test-integration: setup ## Every module on the lab: create, again, check mode, update, delete
	@$(PYTEST) -m "not slow" tests/integration $(T)

test-lab: setup ## The lab itself: what it simulates agrees with what the services document
	@$(PYTEST) -m "not slow" tests/lab $(T)

test-inventory: setup ## The inventory on the lab, as ansible-inventory shows it
	@$(PYTEST) -m "not slow" tests/inventory $(T)

test-azure-rm: setup ## The inventory azure.azcollection.azure_rm on the lab (installs its requirements, 1.6 GB, in build/azure_rm)
	@tools/setup.sh azure-rm
	@PATCHTIDE_AZURE_RM=build/azure_rm/bin $(PYTEST) -m slow tests/inventory $(T)

test-playbooks: setup ## Playbooks on the lab: run, run again, check mode
	@$(PYTEST) -m "not slow" tests/playbooks $(T)

# One at a time: some of them look at what belongs to the whole machine, such as its kernel settings.
test-hosts: WORKERS = 1
test-hosts: setup ## Real Linux hosts: patch, reboot, verify (needs root)
	@$(PYTEST) -m "not slow" tests/hosts --ignore=$(HOSTS_CONTRACT) $(T)

test-slow: WORKERS = 1
test-slow: setup ## Playbooks, modules and real hosts: what CI leaves out to stay within its time (needs root, minutes)
	@$(PYTEST) -m slow $(SLOW) --ignore=$(HOSTS_CONTRACT) $(T)

test-hosts-contract: WORKERS = 1
test-hosts-contract: setup ## The executors' contract on real apt, dnf and zypper (needs root, minutes)
	@$(PYTEST) $(HOSTS_CONTRACT) $(T)

SUITES ?= bullseye trixie jammy noble sid
test-hosts-suites: WORKERS = 1
test-hosts-suites: setup ## Package managers of other releases, where the mirror has them: SUITES="bullseye trixie" (needs root, minutes each)
	@for suite in $(SUITES); do echo "$$suite"; PATCHTIDE_SUITE=$$suite $(PYTEST) tests/hosts/chroot \
		--ignore=$(HOSTS_CONTRACT) $(T) || failed="$${failed:-} $$suite"; done; test -z "$${failed:-}"

test-kill: setup ## Kill a rollout at every journal record and resume it; months by run_due alone (minutes)
	@PATCHTIDE_MONTHS=40 $(PYTEST) tests/kill tests/unit/plugins/plugin_utils/rollout/test_a_month_by_itself.py $(T)

test-kill-short: setup ## The same at a few records, as CI does it
	@PATCHTIDE_KILL=short $(PYTEST) -m "not slow" tests/kill $(T)

matrix: setup ## Tests that touch Ansible and the built collection, on every ansible-core that this machine's Pythons allow
	@$(PYTHON) tools/matrix.py $(T)

matrix-short: setup ## The same on the oldest, a middle and the newest ansible-core, as CI does it
	@$(PYTHON) tools/matrix.py --short

molecule: setup ## Every role's molecule scenario
	@$(PYTHON) tools/molecule_run.py $(T)

sanity: setup ## ansible-test sanity on a git copy
	@$(PYTHON) tools/sanity.py

sizes: setup ## The longest files and functions: places to look
	@$(PYTHON) tools/sizes.py

##@ Build
.PHONY: build artifact bundle environment docs site release bench bench-hosts
build: setup ## The collection artifact, build/patchtide-hybrid-<version>.tar.gz
	@$(PYTHON) tools/artifact.py build

artifact: setup ## Build it, look into it, install it, run galaxy-importer on it
	@$(PYTHON) tools/artifact.py check

bundle: setup ## The collection with all that it needs for a controller without network (B="--python 3.12" for another Python)
	@$(PYTHON) tools/bundle.py $(B)

environment: artifact ## The same, and an execution environment context by ansible-builder
	@$(PYTHON) tools/environment.py

docs: setup ## antsibull-docs and changelog lint
	@$(PYTHON) tools/docs.py lint

site: setup ## The documentation site, build/site/index.html
	@$(PYTHON) tools/docs.py site

release: setup ## Changelog entry of the version in galaxy.yml, from changelogs/fragments
	antsibull-changelog release --update-existing --reload-plugins

bench: setup ## Benchmarks; table on the screen, figures in build/bench/
	$(PYTHON) -m bench

bench-hosts: setup ## 100 real hosts of three package managers in one wave; one hangs, one is broken, one vanishes (needs root)
	$(PYTHON) -m bench.real_hosts $(T)

##@ Help
.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile
