# Anneal. `make run` trains the MNIST example, `make test` runs every test; both install what is
# missing first. `make help` lists the rest.

BUILD  ?= build
PREFIX ?= /usr/local
TRIXIE ?= $(BUILD)/trixie

.PHONY: help run test build bench bench-trixie parity fuzz hard-tests format check install amalgamation docs clean

help:
	@echo "make run       build and train examples/mnist-mlp.yaml"
	@echo "make test      build and run every test"
	@echo "make build     build the library, the command and the examples in $(BUILD)/"
	@echo "make bench     measure against PyTorch and a hand-fused loop (about 25 minutes; it ends with what each part took)"
	@echo "make bench-trixie   the same in Debian 13, with its PyTorch 2.6 (as root; 3 GB)"
	@echo "make parity    fresh random cases against PyTorch running live"
	@echo "make fuzz      fuzz every parser for FUZZ_SECONDS (60) each"
	@echo "make hard-tests   200 kills at random instants, a fault at every write (some minutes)"
	@echo "make format    clang-format on all sources; make check: formatting, clang-tidy, rooms"
	@echo "make install   to PREFIX ($(PREFIX)); DESTDIR is honoured"
	@echo "make amalgamation   the schedule library as two files in dist/"
	@echo "make docs      draw the pictures of docs/schedules.md, read the manual page"

run: $(BUILD)/build.ninja
	@ninja -C $(BUILD) anneal
	$(BUILD)/anneal train examples/mnist-mlp.yaml

test: build
	meson test -C $(BUILD) --print-errorlogs --timeout-multiplier 4

build: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@scripts/install-needs build
	meson setup $(BUILD) --prefix=$(PREFIX) $(SETUP_ARGS)

bench: build
	@scripts/install-needs bench || echo "Anneal: going on without PyTorch"
	scripts/without-blas-settings /usr/bin/python3 bench/run.py --build $(BUILD) $(BENCH_ARGS)

bench-trixie:
	scripts/bench-trixie $(TRIXIE) $(BENCH_ARGS)

parity: build
	@scripts/install-needs bench
	scripts/without-blas-settings /usr/bin/python3 scripts/parity-lr.py --build $(BUILD) $(PARITY_ARGS)
	scripts/without-blas-settings /usr/bin/python3 tests/parity/training.py \
		--against $(BUILD)/tests/parity/test_parity_training

fuzz:
	@scripts/install-needs fuzz
	scripts/fuzz $${FUZZ_SECONDS:-60}

hard-tests: build
	python3 tests/cli/kill.py $(BUILD)/anneal 200
	python3 tests/cli/faults.py $(BUILD)/anneal $(BUILD)/tests/cli/libfaults.so all

format:
	@scripts/install-needs format
	clang-format -i $$(git ls-files '*.c' '*.h')

check: build
	@scripts/install-needs format
	scripts/check-rooms
	scripts/check-style
	scripts/check-docs
	clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')
	scripts/tidy $(BUILD)

install: $(BUILD)/build.ninja
	meson configure $(BUILD) --prefix=$(PREFIX)
	@ninja -C $(BUILD)
	meson install -C $(BUILD) --no-rebuild
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig

amalgamation:
	scripts/amalgamate dist

docs: build
	scripts/docs-pictures $(BUILD)
	man ./docs/anneal.1

clean:
	rm -rf $(BUILD) dist
