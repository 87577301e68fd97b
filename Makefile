# make test         all tests; needs root on a dedicated Debian machine, where it starts a real cluster
# make test-unit    the tests that need neither root nor Debian
# make fuzz         ten minutes of each fuzz target (fuzz/README.md)
# make image        the container image, as an OCI archive (docs/image.md)
# make bench        CPU time per pod, and peak memory
# make bench-scale  what a cluster of 50,000 pods costs the leader; needs root and a quarter of an hour (docs/performance.md)

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/posturebeat
export CARGO_TARGET_DIR ?= $(CACHE)/target

.PHONY: test test-unit lint fuzz image bench bench-scale update quickstart

test:
	bash tests/run

test-unit:
	cargo test --locked --lib --bins --test architecture --test notice --test rules --test cli

lint:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

fuzz:
	fuzz/run 600

image:
	deploy/image/build

bench:
	cargo bench --locked --bench pods

bench-scale:
	bash tests/scale/run

# Generated files: NOTICE, posturebeat.reference.yml, kibana/, deploy/aws/, docs/coverage.md, docs/differences.md,
# docs/schema/, and the tables of docs/rules.md.
update:
	UPDATE=1 cargo test --locked --lib --test notice --test rules

quickstart:
	cargo run --profile quick --no-default-features --locked -- run -c examples/quickstart.yml
