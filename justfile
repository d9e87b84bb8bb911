# Tasks of the project; `just` lists them.

[private]
default:
    @just --list

# All checks: fast, then slow.
ci:
    bash .ci/run

# The checks that a pull request must pass: words, format, clippy, documentation, fuzz targets, tests.
fast:
    bash .ci/fast

# The checks that fetch tools: linters, other readers of the output, a browser, real servers.
slow:
    bash .ci/slow

# Lint text, action, workflows, examples and scripts; keeps the tools in target/lint.
lint:
    bash .ci/lint target/lint

# Build docs/ as a book in target/book and check its links; keeps the tools in target/lint.
book:
    bash .ci/book target/lint

# Look for words that this project does not use: `just words`, or counts only: `just words --count`.
words *mode:
    bash .ci/words {{mode}}

# Build without warnings and run all tests.
test:
    cargo test --locked

# Format the source.
format:
    cargo fmt --all

# Lint the source.
clippy:
    cargo clippy --all-targets --locked -- -D warnings

# The golden suite, offline.
demo:
    cargo run --locked -- run golden/customer-support --offline

# Regenerate the committed JSON Schemas.
schemas:
    #!/usr/bin/env bash
    set -euo pipefail
    for name in config case report plan calibration shard status log verification show diff compiled assignment bundle \
        prompt releases case-result history publication approval promotion rollback rollout rollout-plan rollout-simulation reconciliation pull metrics; do
        # Only a complete schema replaces the committed one.
        schema=$(cargo run --locked --quiet -- schema "$name")
        printf '%s\n' "$schema" >"schema/$name.schema.json"
    done

# Speed of the released binary next to a bare client: `just bench`, or rows of it: `just bench throughput memory`.
bench *rows:
    cargo build --profile dist --locked
    cargo run --profile dist --locked --quiet --example speed -- {{rows}}

# The hot functions alone, or those that a filter names: `just bench-hot judge`.
bench-hot *filter:
    cargo bench --profile dist --locked --bench hot -- {{filter}}

# Time and memory of a large decision.
bench-decide:
    cargo bench --profile dist --locked --bench decide_large

# Simulate how often the gate is wrong; about a quarter of an hour on two cores.
simulate:
    cargo run --release --locked --example operating_characteristics -- 600 1

# Simulate how often a misled gate is green; prints what is promised beside what was measured.
false-greens runs="2000":
    cargo run --release --locked --example false_greens -- --runs {{ runs }}

# Fuzz one target (runner, forge or secrets) for some seconds on a stable toolchain: `just fuzz forge 300`.
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
