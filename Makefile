# The developer's commands, each complete in itself: they run tools/setup first.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench chaos fuzz versions clean
python := .venv/bin/python

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

setup: ## make .venv; install tmux and python3-venv by apt-get where they are missing
	@sh tools/setup

demo: setup ## see ctmux at work, in a tmux of its own
	@$(python) tools/demo

test: setup ## run all tests, which mostly wait, eight at a time; ARGS='-k name' for some
	@$(python) -m pytest -n 8 --dist worksteal $(ARGS)

lint: setup ## ruff, mypy --strict and the import contracts
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy
	@.venv/bin/lint-imports --no-logo

bench: setup ## run the benchmarks, each against a baseline of its own run
	@set -e; for bench in $$(grep -l __main__ bench/*.py); do echo "== $$bench"; $(python) $$bench; done

chaos: setup ## kill and freeze our processes at random under load, MINUTES=1 SEED=..., and account for every line
	@$(python) tests/chaos/chaos.py --minutes $(or $(MINUTES),1) $(if $(SEED),--seed $(SEED)) $(ARGS)

fuzz: setup ## random output and patterns through the matcher against the slowest way to match, MINUTES=1 SEED=...
	@$(python) tests/fuzz/fuzz.py --minutes $(or $(MINUTES),1) $(if $(SEED),--seed $(SEED)) $(ARGS)

versions: setup ## run the integration tests on tmux 3.3a, 3.5a, 3.7c and 3.8
	@sh tools/test-versions

clean: ## remove what setup, tests and builds made
	rm -rf .venv build dist *.egg-info .coverage* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
