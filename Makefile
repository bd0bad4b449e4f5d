# `make run` runs the site, `make test` tests it. Both install what they need into .venv first.
#   make run [DEMO=0] [PORT=8000] [HOST=127.0.0.1]     make bench [ONLY=name]     make help

PYTHON ?= python3
PY := .venv/bin/python

.PHONY: help setup run dev test check format bench lock reset-demo

help:
	@echo "make run         run the site on this machine (DEMO=0: for a real organization)"
	@echo "make setup       only install what it needs"
	@echo "make test        run every test"
	@echo "make check       style, types, layers, migrations, translations, advisories"
	@echo "make format      put the source and the templates in the style that check asks for"
	@echo "make bench       measure speed and memory (ONLY=name: one of them)"
	@echo "make lock        pin the newest versions that the requirements allow"
	@echo "make reset-demo  forget what was done in the demo"

setup:
	@$(PYTHON) organizing/local/install.py requirements.txt requirements-dev.txt
	@$(PY) manage.py messages --compile

run: setup
	@$(PY) manage.py up

dev:
	@$(PYTHON) organizing/local/install.py requirements-dev.txt
	@$(PY) manage.py messages --compile

test: dev
	@$(PY) -m tests.chromium
	$(PY) -m pytest -n 2

check: dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy --strict .
	.venv/bin/lint-imports
	find templates -name '*.html' -print0 | xargs -0 .venv/bin/djade --check --target-version 5.2
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py messages --check
	$(PY) .ci/audit.py requirements.txt
	DATABASE_URL=postgres://localhost/none REDIS_URL=redis://localhost EMAIL_URL=smtp://localhost \
	  ALLOWED_HOSTS=example.org SECRET_KEY="$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))')" \
	  $(PY) manage.py check --deploy --fail-level WARNING

format: dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	find templates -name '*.html' -print0 | xargs -0 .venv/bin/djade --target-version 5.2

bench: dev
	@$(PY) -m tests.bench $(ONLY)

# --upgrade: asks for the newest. No index address may appear in what is committed.
LOCK := .venv/bin/uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
  --no-header --no-emit-index-url --no-emit-find-links

lock: dev
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt

reset-demo: setup
	@$(PY) manage.py reset_demo
