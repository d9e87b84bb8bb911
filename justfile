# Project tasks; `just` lists them.

[private]
default:
    @just --list

# Everything a pull request must pass.
ci:
    bash .ci/run

# Build without warnings and run all tests.
test:
    cargo test --locked

# Format and lint.
lint:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings

# Run the golden suite offline.
demo:
    cargo run --locked -- run golden/customer-support --offline

# Regenerate the committed JSON Schemas.
schemas:
    cargo run --locked --quiet -- schema config > schema/config.schema.json
    cargo run --locked --quiet -- schema case > schema/case.schema.json
    cargo run --locked --quiet -- schema report > schema/report.schema.json
    cargo run --locked --quiet -- schema plan > schema/plan.schema.json
    cargo run --locked --quiet -- schema calibration > schema/calibration.schema.json
    cargo run --locked --quiet -- schema shard > schema/shard.schema.json

# Benchmark the release binary: all rows, or some: `just bench throughput memory`.
bench *rows:
    cargo build --release --locked
    cargo run --release --locked --quiet --example speed -- {{rows}}

# Benchmark hot functions, optionally filtered: `just bench-hot judge`.
bench-hot *filter:
    cargo bench --locked --bench hot -- {{filter}}

# Benchmark a large decision: time and memory.
bench-decide:
    cargo bench --locked --bench decide_large

# Simulate how often the gate is wrong; about 15 minutes on two cores.
simulate:
    cargo run --release --locked --example operating_characteristics -- 600 1

# Fuzz one target (runner, forge or secrets) on a stable toolchain: `just fuzz forge 300`.
fuzz target seconds="60":
    #!/usr/bin/env bash
    set -euo pipefail
    host=$(rustc -vV | sed -n 's/^host: //p')
    coverage=(level=4 inline-8bit-counters pc-table trace-compares)
    # With an explicit --target, RUSTFLAGS do not apply to build scripts and macros.
    RUSTFLAGS="-Cpasses=sancov-module ${coverage[*]/#/-Cllvm-args=-sanitizer-coverage-}" \
        cargo build --release --locked --manifest-path fuzz/Cargo.toml --target "$host" --bin {{target}}
    mkdir -p fuzz/corpus/{{target}}
    "fuzz/target/$host/release/{{target}}" -max_total_time={{seconds}} -artifact_prefix=fuzz/ fuzz/corpus/{{target}}
