# Tasks of the project; `just` lists them.

[private]
default:
    @just --list

# Everything that a pull request is held to.
ci:
    bash .ci/run

# Build without warnings and run all tests.
test:
    cargo test --locked

# Format and lint.
lint:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings

# The golden suite, offline.
demo:
    cargo run --locked -- run golden/customer-support --offline

# Write the committed JSON Schemas anew.
schemas:
    cargo run --locked --quiet -- schema config > schema/config.schema.json
    cargo run --locked --quiet -- schema case > schema/case.schema.json
    cargo run --locked --quiet -- schema report > schema/report.schema.json
    cargo run --locked --quiet -- schema plan > schema/plan.schema.json
    cargo run --locked --quiet -- schema calibration > schema/calibration.schema.json
    cargo run --locked --quiet -- schema shard > schema/shard.schema.json

# Speed of the release binary beside the ideal: `just bench`, or rows of it: `just bench throughput memory`.
bench *rows:
    cargo build --release --locked
    cargo run --release --locked --quiet --example speed -- {{rows}}

# The hot parts alone; a filter names some: `just bench-hot judge`.
bench-hot *filter:
    cargo bench --locked --bench hot -- {{filter}}

# Time and memory of a large decision.
bench-decide:
    cargo bench --locked --bench decide_large

# How often the gate is wrong, simulated; about a quarter of an hour on two cores.
simulate:
    cargo run --release --locked --example operating_characteristics -- 600 1

# Fuzzes one target (runner, forge or secrets) for some seconds, on a stable toolchain: `just fuzz forge 300`.
fuzz target seconds="60":
    #!/usr/bin/env bash
    set -euo pipefail
    host=$(rustc -vV | sed -n 's/^host: //p')
    coverage=(level=4 inline-8bit-counters pc-table trace-compares)
    # With a target named, build scripts and macros go without.
    RUSTFLAGS="-Cpasses=sancov-module ${coverage[*]/#/-Cllvm-args=-sanitizer-coverage-}" \
        cargo build --release --locked --manifest-path fuzz/Cargo.toml --target "$host" --bin {{target}}
    mkdir -p fuzz/corpus/{{target}}
    "fuzz/target/$host/release/{{target}}" -max_total_time={{seconds}} -artifact_prefix=fuzz/ fuzz/corpus/{{target}}
