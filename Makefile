# Every target sets up what it needs: a virtual environment in .venv, from an index.
# Another Python has an environment of its own: make test PYTHON=python3.12.
PYTHON ?= python3
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS ?=

.PHONY: help demo test test-browser test-postgresql test-clusters test-oldest test-next test-random test-wheel coverage \
  fuzz lint format types workflows citation changelog changelog-check wheel docs linkcheck report-picture rerecord \
  benchmark-annotator benchmark-cascade benchmark-dask benchmark-drift benchmark-explain \
  benchmark-files benchmark-killed benchmark-llm-labels benchmark-label-constants benchmark-label-models \
  benchmark-labels \
  benchmark-programs benchmark-synthesis benchmark-throttled benchmark-tuning \
  benchmark-waterbirds benchmark-weak-author paper-table clean

help:
	@echo "make demo      label 2,225 news articles with programs (no key needed)"
	@echo "make test      run the tests"
	@echo "make test PYTHON=python3.13   the same with another Python"
	@echo "make test-oldest   with the lowest versions that are allowed"
	@echo "make test-next     with the newest ones, and those not yet released"
	@echo "make test-random   in random order, on two cores"
	@echo "make test-wheel    of the wheel instead of the checkout"
	@echo "make coverage  which lines no test runs"
	@echo "make test-browser  open the report in Chromium (CHROMIUM=path, or downloaded)"
	@echo "make test-postgresql  keep answers on a PostgreSQL server, started for it"
	@echo "make test-clusters    label in a local Spark (needs Java 17) and Ray"
	@echo "make fuzz      look for inputs that break an invariant, for minutes"
	@echo "make lint      check the style of the code"
	@echo "make format    mend the style where that can be done"
	@echo "make types     check the types (mypy), and those that users see (pyright)"
	@echo "make workflows check what GitHub and Read the Docs are told to do"
	@echo "make citation  check CITATION.cff"
	@echo "make changelog show what the changelog will say of the next release"
	@echo "make wheel     build the wheel, install it alone and use it"
	@echo "make docs      build the documentation; its examples run"
	@echo "make linkcheck check the links of its pages; EXTERNAL=1: other hosts', too"
	@echo "make report-picture  take the picture of a report that the README shows"
	@echo "make rerecord  ask a model again for the answers in examples/recordings"
	@echo "make benchmark-programs RECORDINGS=folder DATA=folder"
	@echo "               measure how fast programs run, and in how much memory"
	@echo "make benchmark-label-constants DATA=folder   halve and double each constant"
	@echo "make benchmark-label-models  compare label models, with peers if installed"
	@echo "make benchmark-synthesis DATA=folder  compare ten plain calls with the plan"
	@echo "make benchmark-tuning DATA=folder RECORDINGS=folder   programs, on 50 labels"
	@echo "make benchmark-weak-author DATA=folder  how careless answers are read"
	@echo "make benchmark-throttled     how long calls take where a server limits them"
	@echo "make benchmark-annotator ARGS='DATA RECORDINGS'       accuracy and calibration"
	@echo "make benchmark-cascade DATA=folder      what reading some records adds"
	@echo "make benchmark-labels DATA=folder RECORDINGS=folder   what few labels do to it"
	@echo "make benchmark-drift DATA=folder RECORDINGS=folder    alarms, false and missed"
	@echo "make benchmark-explain DATA=folder RECORDINGS=folder  is what is told true"
	@echo "make benchmark-llm-labels DATA=folder   what 200 labels by a model do to it"
	@echo "make benchmark-dask    cost a row on a Dask cluster, and what is left of it"
	@echo "make benchmark-files   cost a row and memory of files of millions of rows"
	@echo "make benchmark-killed  what is done again after kills at random moments"
	@echo "make paper-table ARGS='DATA --recordings RECORDINGS'  beside the paper's numbers"
	@echo "make benchmark-waterbirds DATA=file   look at the worst group of Waterbirds"
	@echo "make clean     remove what the other targets made"

# pip knows dependency groups since 25.1.
$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "sklearn_alchemist needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --upgrade "pip>=25.1"
	@touch $@

# The package and one group of what works on it.
GROUPS := examples tests lint docs
$(GROUPS:%=$(VENV)/%): $(VENV)/%: $(VENV)/python pyproject.toml
	$(INSTALL) -e . --group $*
	@touch $@

# All of them at once: what they share is found and installed once.
$(VENV)/all: $(VENV)/python pyproject.toml
	$(INSTALL) -e . --group dev
	@touch $@ $(GROUPS:%=$(VENV)/%)

demo: $(VENV)/examples
	$(BIN)/python examples/plot_label_news.py $(ARGS)

test: $(VENV)/tests
	$(BIN)/python -m pytest $(ARGS)

# The lowest versions that pyproject.toml allows, of the lowest Python.
test-oldest: $(VENV)/python
	$(INSTALL) "uv>=0.5"
	rm -rf build/oldest
	$(BIN)/uv venv --quiet --python $(BIN)/python build/oldest
	$(BIN)/uv pip install --quiet --python build/oldest/bin/python \
	  --resolution lowest-direct -e . --group tests
	build/oldest/bin/python -m pytest $(ARGS)

# The newest versions, and those that are not yet released.
test-next: $(VENV)/python
	rm -rf build/next
	$(PYTHON) -m venv build/next
	build/next/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	build/next/bin/python -m pip install --quiet --pre -e . --group tests
	build/next/bin/python -m pytest $(ARGS)

# No test may lean on one before it, nor on having the machine for itself.
test-random: $(VENV)/tests
	$(INSTALL) "pytest-randomly>=3.16"
	$(BIN)/python -m pytest -p randomly -n 2 $(ARGS)

# Tests beside a copy of everything but the package: what is imported is the wheel.
test-wheel: wheel
	rm -rf build/beside
	mkdir -p build/beside
	tar -cf - $(filter-out sklearn_alchemist build dist,$(wildcard *)) .ci \
	  | tar -xf - -C build/beside
	$(BIN)/python -c 'import site; print(site.getsitepackages()[0])' \
	  > "$$(build/wheel/bin/python -c 'import site; print(site.getsitepackages()[0])')/beside.pth"
	cd build/beside && ../wheel/bin/python -m pytest $(ARGS) tests --pyargs sklearn_alchemist

# Lines that no test runs. Programs run in processes that may write no file and import
# nothing from outside, so what only they run counts as not run: these files.
IN_WORKERS := _builtins _fork_server _landlock _loop_filter _match_places \
  _match_recorder _observer _process_limits _seccomp _safe_stdlib _worker
coverage: $(VENV)/tests
	$(INSTALL) "coverage[toml]>=7.10"
	rm -rf build/coverage
	$(BIN)/coverage run -m pytest -n 2 --dist worksteal $(ARGS) \
	  -k "not takes_long_to_read and not adds_little"  # counting lines takes time itself
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	@echo "without what only runs beside programs, in per cent:"
	@$(BIN)/coverage report --format=total --precision=1 \
	  --omit="$$(printf '*/programs/%s.py\n' $(IN_WORKERS) | paste -sd , -)"

CHROMIUM ?= $(shell command -v chromium)
test-browser: $(VENV)/tests
	$(INSTALL) "playwright>=1.49"
	test -n "$(CHROMIUM)" || $(BIN)/python -m playwright install --with-deps chromium
	CHROMIUM="$(CHROMIUM)" $(BIN)/python -m pytest $(ARGS) \
	  tests/inspection/test_report_browser.py

# Of Debian's packages, which root gets installed; others install PostgreSQL before.
test-postgresql: $(VENV)/tests
	$(INSTALL) -e ".[postgresql]"
	sh tests/with_postgresql.sh $(BIN)/python -m pytest $(ARGS) tests/llm/test_store.py \
	  tests/llm/test_budget.py tests/llm/test_client.py tests/llm/test_faults.py \
	  tests/llm/test_many_machines.py tests/llm/test_lost_server.py \
	  tests/llm/test_forgetting.py -k "postgresql or server or machine"

test-clusters: $(VENV)/tests
	command -v java > /dev/null || apt-get install -q -y openjdk-17-jre-headless
	$(INSTALL) "pyspark>=4" "ray[data]>=2.40"
	$(BIN)/python -m pytest $(ARGS) tests/streaming/test_clusters.py

fuzz: $(VENV)/tests
	$(BIN)/python -m pytest -m hypothesis --hypothesis-profile=fuzz $(ARGS)

lint: $(VENV)/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/lint
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

# What GitHub and Read the Docs read: by their schemas, and for what attackers look for.
workflows: $(VENV)/lint
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config \
	  .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms \
	  .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/idea.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.readthedocs .readthedocs.yaml
	$(BIN)/zizmor --quiet --offline --min-severity medium .github

# cffconvert needs an older jsonschema than the rest.
citation:
	$(PYTHON) -m venv build/citation
	build/citation/bin/python -m pip install --quiet --disable-pip-version-check cffconvert
	build/citation/bin/cffconvert --validate

# Which fragment is written for this branch, and what the changelog will say.
changelog-check: $(VENV)/lint
	$(BIN)/towncrier check --compare-with origin/main

changelog: $(VENV)/lint
	$(BIN)/towncrier build --draft

# Folders of recorded programs and of their texts; see benchmarks/programs.py.
RECORDINGS ?=
DATA ?=
benchmark-programs: $(VENV)/tests
	$(BIN)/python benchmarks/programs.py --million
	$(BIN)/python benchmarks/programs.py $(RECORDINGS) $(DATA) $(ARGS)

wheel: $(VENV)/tests
	rm -rf dist build/wheel
	$(BIN)/python -m build --wheel --outdir dist
	$(PYTHON) -m venv build/wheel
	build/wheel/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	cd build && wheel/bin/python ../.ci/smoke.py

docs: $(VENV)/docs
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

report-picture: $(VENV)/docs
	CHROMIUM="$(CHROMIUM)" $(BIN)/python docs/_ext/report_picture.py docs/_static/report.png

EXTERNAL ?=
linkcheck: docs
	$(BIN)/python docs/_ext/check_links.py docs/_build/html
	test -z "$(EXTERNAL)" || $(BIN)/python -m sphinx -b linkcheck \
	  -D sphinx_gallery_conf.plot_gallery=0 docs docs/_build/linkcheck

rerecord: $(VENV)/examples
	rm -f build/rerecord.sqlite
	mkdir -p build
	$(BIN)/python examples/plot_label_news.py --store build/rerecord.sqlite \
	  --record examples/recordings/news.jsonl $(ARGS)
	for name in table images; do rm -f build/rerecord.sqlite; \
	  $(BIN)/python examples/plot_label_$$name.py --store build/rerecord.sqlite \
	  --record examples/recordings/$$name.jsonl $(ARGS) || exit 1; done

benchmark-label-constants: $(VENV)/examples
	$(BIN)/python benchmarks/label_constants.py --data $(DATA) \
	  $(if $(RECORDINGS),--recordings $(RECORDINGS)) $(ARGS)

benchmark-label-models: $(VENV)/examples
	$(BIN)/python benchmarks/label_models.py $(ARGS)
benchmark-synthesis: $(VENV)/examples
	$(BIN)/python benchmarks/synthesis.py $(DATA) $(ARGS)

benchmark-throttled: $(VENV)/examples
	$(BIN)/python benchmarks/throttled.py $(ARGS)

benchmark-weak-author: $(VENV)/examples
	$(BIN)/python benchmarks/weak_author.py $(DATA) $(ARGS)

benchmark-tuning: $(VENV)/examples
	$(BIN)/python benchmarks/tune_programs.py $(DATA) $(RECORDINGS) $(ARGS)

benchmark-annotator: $(VENV)/examples
	$(BIN)/python benchmarks/annotator.py $(ARGS)

benchmark-cascade: $(VENV)/examples
	$(BIN)/python benchmarks/cascade.py $(DATA) $(ARGS)

benchmark-labels: $(VENV)/examples
	$(BIN)/python benchmarks/labels.py $(DATA) $(RECORDINGS) $(ARGS)

benchmark-drift: $(VENV)/examples
	$(BIN)/python benchmarks/drift.py $(DATA) $(RECORDINGS) $(ARGS)

benchmark-llm-labels: $(VENV)/examples
	$(BIN)/python benchmarks/llm_labels.py $(DATA) $(ARGS)

benchmark-files: $(VENV)/examples
	$(INSTALL) -e ".[files]"
	$(BIN)/python benchmarks/files.py $(ARGS)

benchmark-killed: $(VENV)/examples
	$(INSTALL) -e ".[files]"
	$(BIN)/python benchmarks/killed_files.py $(ARGS)

benchmark-dask: $(VENV)/tests
	$(BIN)/python benchmarks/dask_cluster.py $(ARGS)

benchmark-explain: $(VENV)/examples
	$(BIN)/python benchmarks/explain.py $(DATA) $(RECORDINGS) $(ARGS)

paper-table: $(VENV)/examples
	$(BIN)/python benchmarks/paper_table.py $(ARGS)
benchmark-waterbirds: $(VENV)/examples
	$(BIN)/python benchmarks/waterbirds.py $(DATA) $(ARGS)

clean:
	rm -rf $(VENV) build dist docs/_build docs/generated docs/gallery .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
