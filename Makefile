# One command per habit. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3.11
ENV := .venv/.installed

.PHONY: help setup demo sample test check format airflow bench dictionary lock clean

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(ENV)  ## make .venv with the pinned packages and the `mailtoll` command

$(ENV): requirements.txt requirements-dev.txt constraints.txt pyproject.toml setup/environment
	@PYTHON=$(PYTHON) setup/environment
	@touch $@

demo: $(ENV)  ## run the DAGs on the recorded flood, without a server; print the report's path and the headline
	@.venv/bin/python -m tools.run_dags incidents/officemail-lab/incident.yaml --out build/officemail-lab

sample: $(ENV)  ## simulate four weeks of a platform of 60,000 mailboxes, measure them, and take the README's picture
	@setup/debian-packages
	@.venv/bin/python -m lab.sample build/officemail-sample
	@.venv/bin/mailtoll run build/officemail-sample/incident.yaml --out build/officemail-sample/report
	@.venv/bin/python -m tools.picture build/officemail-sample/report/report.html docs/report.png

test: $(ENV)  ## run every test (needs chromium, pflogsumm and sshd: installed where missing)
	@setup/debian-packages
	@setup/s3-server
	setup/run-tests $(PYTEST_ARGS)

check: $(ENV)  ## format, lint, types, and whether the data dictionary is current
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/python -m tools.data_dictionary --check

format: $(ENV)  ## format the code and mend what the linter can
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

dictionary: $(ENV)  ## write docs/data-dictionary.md from the table declarations
	.venv/bin/python -m tools.data_dictionary

airflow: $(ENV)  ## start a real Airflow with the DAGs ready to trigger; Ctrl-C stops it
	@.venv/bin/python -m tools.start_airflow

bench: $(ENV)  ## time the log path and a whole run against pflogsumm and eximstats
	@setup/debian-packages
	.venv/bin/python -m benchmarks.bench $(BENCH_ARGS)

lock: $(ENV)  ## pin again what the direct dependencies pull in, after a change to requirements*.txt
	@{ sed -n '/^#/p' constraints.txt; .venv/bin/uv pip compile --quiet requirements.txt requirements-dev.txt \
	    --python-version 3.11 --no-header --no-annotate --no-emit-index-url; } > constraints.new
	@mv constraints.new constraints.txt

clean:  ## remove .venv, run folders and the local Airflow home
	rm -rf .venv build .airflow
