# Needs Node 18 or newer, npm and make; everything else comes with `make install`, which the other targets call.
# A line of help is the comment behind a target's name.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

SEEDS ?= 20000
JOBS ?= 2
PORT ?=
DATA ?=
ONLY ?=
FILES ?=
ENGINE ?=
REGIONS ?=
OFFSET ?=
FROM ?=

# The pinned Node, asked for when a recipe runs: before `make install` there is none.
NODE = "$$(tools/find-node)"
INSTALLED = node_modules/.parley-installed

.PHONY: help install run cluster cluster-down cluster-status demo test check fmt sim mutants conformance bench load services services-down services-status test-services clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F '\t' '{ printf "  make %-15s %s\n", $$1, $$2 }'

install: $(INSTALLED) ## install the pinned Node and the dependencies, unless they are current

$(INSTALLED): package.json package-lock.json .npmrc
	@tools/install || { echo "✗ could not install. Next: npm ci --loglevel=verbose" >&2; exit 1; }
	@touch $@

run: install ## run Parley on this machine (PORT=8080 DATA=folder)
	@echo "» starting Parley; Ctrl-C drains and stops it"
	@./parley serve $(if $(PORT),--port $(PORT)) $(if $(DATA),--data $(DATA))

cluster: install ## run every role as processes on the engines of make services (REGIONS=2 DATA=folder)
	@echo "» starting the cluster"
	@./parley cluster up $(if $(REGIONS),--regions $(REGIONS)) $(if $(DATA),--data $(DATA)) $(if $(PORT),--port $(PORT))

cluster-down: install ## drain and end the cluster; its data stays (DATA=folder)
	@echo "» ending the cluster"
	@./parley cluster down $(if $(DATA),--data $(DATA))

cluster-status: install ## show what runs of the cluster (DATA=folder)
	@./parley cluster status $(if $(DATA),--data $(DATA))

demo: install ## watch messages survive a gateway that dies
	@echo "» starting the demonstration"
	@./parley demo

test: install ## run every test that needs no service and no browser (ONLY=name for some)
	@echo "» running the tests"
	@mkdir -p .cache
	@$(NODE) node_modules/vitest/vitest.mjs run --project core --project sim --project runtime --project tools $(ONLY) \
	  --reporter=default --reporter=json --outputFile.json=.cache/tests.json \
	  || { echo "✗ tests failed. Next: make test ONLY=<part of a file's name>" >&2; exit 1; }

check: install ## check format, lint, types, layers, purity, dead code, and that each check bites
	@echo "» checking the sources"
	@$(NODE) tools/check.ts \
	  || { echo "✗ the check failed; each failed step names its next command" >&2; exit 1; }

fmt: install ## format every file (FILES=core for some)
	@echo "» formatting"
	@$(NODE) node_modules/@biomejs/biome/bin/biome format --write $(FILES)

sim: install ## simulate disasters (SEEDS=20000 JOBS=2)
	@./parley sim run --seeds $(SEEDS) --jobs $(JOBS)

mutants: install ## plant known bugs in the core and count the seeds until the simulator finds each (FROM=seed or commit)
	@./parley sim mutants $(if $(FROM),--from $(FROM))

conformance: install ## compare the simulator's models with the engines that run here (ENGINE=kafka)
	@echo "» comparing models and engines"
	@./parley conformance $(if $(ENGINE),--engine $(ENGINE))

bench: install ## measure throughput and latency on this machine
	@echo "» measuring"
	@./parley bench

load: install ## load the cluster: sends/s, latencies, CPU a role, memory a connection (ONLY=sends,group)
	@./parley load $(if $(ONLY),--only $(ONLY)) $(if $(DATA),--data $(DATA))

services: install ## install and start Kafka, Redis, PostgreSQL, Temporal, ClickHouse and S3 on this machine (ONLY=kafka,redis REGIONS=1 DATA=folder OFFSET=1000)
	@./parley services up $(if $(ONLY),--only $(ONLY)) $(if $(REGIONS),--regions $(REGIONS)) $(if $(DATA),--data $(DATA)) \
	  $(if $(OFFSET),--port-offset $(OFFSET))

services-down: install ## end what `make services` started; its data stays (ONLY=kafka DATA=folder)
	@./parley services down $(if $(ONLY),--only $(ONLY)) $(if $(DATA),--data $(DATA))

services-status: install ## tell port, version, process and memory of each (DATA=folder)
	@./parley services status $(if $(DATA),--data $(DATA))

test-services: install ## run the tests that need those engines, which it starts (ONLY=name for some)
	@./parley services up $(if $(OFFSET),--port-offset $(OFFSET))
	@echo "» running the tests that need engines"
	@mkdir -p .cache
	@$(NODE) node_modules/vitest/vitest.mjs run --project services --project cluster $(ONLY) \
	  --reporter=default --reporter=json --outputFile.json=.cache/services.json \
	  || { echo "✗ tests failed. Next: make test-services ONLY=<part of a file's name>" >&2; exit 1; }

clean: ## remove what checks and tests left; the dependencies and your data stay
	@echo "» removing .cache and coverage"
	@rm -rf .cache coverage
