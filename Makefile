# The only commands a newcomer needs. Everything is built with one optimised profile, so that the
# heavy dependencies compile once and no number comes from unoptimised code.

CARGO ?= cargo
EARMARK := target/release/earmark
RUNS := $(or $(EARMARK_RUNS),runs)

.PHONY: cluster-test quickstart test check bench generate setup recipes bridges matrices engines screenshots

setup:
	@.ci/setup

# A real run on real speech: fetches Whisper tiny.en, measures whisper.cpp, writes a report.
quickstart: setup
	$(CARGO) build --release --locked
	$(EARMARK) run matrices/quickstart.yaml --out $(RUNS)/quickstart-$$(date -u +%Y%m%dT%H%M%SZ)

# The questions that take minutes each, with real engines on an idle machine; models are fetched
# first, so that a report is about measuring. Their reports replace
# those under reports/examples, which the tests then hold to what they should say.
QUESTIONS := quickstart which-engine which-quantization how-many-threads which-model-size \
	other-languages long-audio

matrices: setup
	$(CARGO) build --release --locked
	@set -eu; for question in $(QUESTIONS); do \
		folder=$(RUNS)/$$question-$$(date -u +%Y%m%dT%H%M%SZ); \
		$(EARMARK) download matrices/$$question.yaml; \
		$(EARMARK) run matrices/$$question.yaml --out $$folder; \
		mkdir -p reports/examples/$$question; \
		cp $$folder/report.html $$folder/summary.csv $$folder/results.csv $$folder/jobs.csv reports/examples/$$question/; \
	done
	$(CARGO) test --release --locked --test suite examples::

# The comparison of engines that come as programs of their own: installs all that can run here (six
# gigabytes, most of it PyTorch), runs it for about twenty minutes on two cores, and keeps the last
# record with the versions of everything. `COMPARISON=nine-engines` is shorter by four engines.
COMPARISON := every-engine

engines: setup
	$(CARGO) build --release --locked
	$(EARMARK) engines install --all --deadline 3h
	@set -eu; question=$(COMPARISON); \
		folder=$(RUNS)/$$question-$$(date -u +%Y%m%dT%H%M%SZ); \
		$(EARMARK) download matrices/$$question.yaml; \
		$(EARMARK) run matrices/$$question.yaml --out $$folder; \
		mkdir -p reports/examples/$$question; \
		$(EARMARK) engines --format json > reports/examples/$$question/engines.json; \
		cp $$folder/journal.jsonl $$folder/report.html $$folder/summary.csv $$folder/results.csv \
			$$folder/jobs.csv reports/examples/$$question/

# Pictures of a report's page at 375 and 1280 pixels, light and dark, by Chromium. Look at them before a
# change of the page is proposed.
PAGE := reports/examples/quickstart/report.html

screenshots: setup
	EARMARK_PAGE=$(abspath $(PAGE)) EARMARK_SCREENSHOTS=$(abspath reports/examples/screenshots) \
		$(CARGO) test --release --locked --test suite page::screenshots

test: setup
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run --release --locked; \
	else \
		$(CARGO) test --release --locked -- --test-threads=1; \
	fi
	$(CARGO) test --release --locked --doc

# The tests that a real Slurm carries out: three nodes on this machine, on the loopback, made and ended
# here. Needs root and Debian; installs Slurm's packages. LAB_PARENT is a folder that all users can reach.
LAB_PARENT := /tmp

cluster-test: setup
	@set -eu; LAB=$$(mktemp -d $(LAB_PARENT)/earmark-lab.XXXXXX); export LAB; chmod 755 $$LAB; \
		trap 'tests/cluster/slurm-down.sh' EXIT; \
		tests/cluster/slurm-up.sh; \
		$(CARGO) test --release --locked --test suite -- --ignored --test-threads=1 cluster::

# What a change must pass before it is proposed, but for the tests.
check: setup
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --all-targets --features candle-reference -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --no-deps

# Ratios against something named, measured in the same run; on an idle machine.
bench: setup
	RAYON_NUM_THREADS=2 CANDLE_NUM_THREADS=2 $(CARGO) bench --locked --features candle-reference

# Writes schemas and the columns' page again.
generate:
	EARMARK_GENERATE=1 $(CARGO) test --release --locked --test suite generated

# The recipes' own tests; they need numpy.
recipes:
	python3 recipes/tests/test_convert_whisper.py
	python3 recipes/tests/test_moonshine.py

# The bridges' own tests; real engines are tested where EARMARK_ENVIRONMENTS and EARMARK_MODELS say they are.
bridges:
	python3 -B -m unittest discover bridges/tests
