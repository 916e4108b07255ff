# What people and CI type. Anything longer than a few lines lives in scripts/.
# The Cargo output directory may be moved with CARGO_TARGET_DIR.

MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help run build web test test-rust test-web test-bot test-conformance test-deploy test-smoke test-e2e \
        check fmt gen setup \
        faultlab faultlab-mutants faultlab-regressions

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build what is out of date, then serve on http://127.0.0.1:8080 (flags: ARGS="…")
	@scripts/run $(ARGS)

build: ## Build the web client and the release binary
	@scripts/build

web: ## Build the web client alone
	@scripts/build-web

test: ## Run every test on private services; installs what is missing when root on Debian
	@scripts/test

test-rust: ## Rust: unit, property, contract and guarantee tests, on a private Postgres and Redis
	@scripts/test rust

test-web: ## Web client: unit tests
	@scripts/test web

test-bot: ## The Python example bot against a real server
	@scripts/test bot

test-conformance: ## The Autobahn WebSocket cases against a real server
	@scripts/test conformance

test-deploy: ## nginx and HAProxy before two nodes, one drained; back-up and restore
	@scripts/test deploy

test-smoke: ## Start, look at the page, stop cleanly, start again on the same data
	@scripts/test smoke

test-e2e: ## Two people in two browsers, on one node and on a cluster
	@scripts/test e2e

faultlab: ## Break a cluster in every way and look whether it keeps its promises (MINUTES=3 SEED=…)
	@scripts/faultlab run

faultlab-mutants: ## Servers with a promise broken on purpose: each must turn the rig red (12 minutes)
	@scripts/faultlab mutants

faultlab-regressions: ## The runs of the rig that were red once
	@scripts/faultlab regressions

check: ## Formatting, lints, docs, types, licences, links, generated files
	@scripts/check

fmt: ## Format the Rust code
	@cargo fmt --all

gen: ## Regenerate schemas and TypeScript types from protocol/
	@cargo run --locked --quiet -p hubbub-protocol --example generate

setup: ## Install what tests need (packages when root on Debian, Python and npm dependencies)
	@scripts/setup-test
