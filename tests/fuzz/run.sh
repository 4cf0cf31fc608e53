#!/bin/sh
# Runs the fuzz targets under libFuzzer, guided by coverage of all Rust code, on the stable toolchain.
#
#   tests/fuzz/run.sh SECONDS [TARGET...]   each target (all of them without names) for so long
#   tests/fuzz/run.sh pack                  puts what was found into tests/fuzz/corpus
#   tests/fuzz/run.sh table                 prints how often each target was executed, for docs/security.md
#
# The first run builds everything anew, with counters in it: 25 minutes of processor time. What is found lies in
# target/fuzz-runs: TARGET/ has the inputs, TARGET.failed-* what failed, executions.tsv a line a run.
# C and C++ libraries have no counters: what reaches them is chosen by the Rust code around them.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
runs=$root/target/fuzz-runs
executions=$runs/executions.tsv
system=x86_64-unknown-linux-gnu
mkdir -p "$runs"
cd "$root"

folders() { FARPANE_FUZZ_FOLDERS=$runs cargo test --locked --quiet --test it fuzz::corpus >/dev/null; }

build() {
    counters="-Cpasses=sancov-module"
    for option in level=4 inline-8bit-counters pc-table trace-compares; do
        counters="$counters -Cllvm-args=-sanitizer-coverage-$option"
    done
    # With a target named, build scripts and macros have no counters: they would not link.
    RUSTFLAGS=$counters CARGO_TARGET_DIR=$root/target/fuzz \
        cargo build --locked --release --target $system --manifest-path tests/fuzz/Cargo.toml
}

program=$root/target/fuzz/$system/release/farpane-fuzz

case "${1:-}" in
    pack)
        for folder in "$runs"/*/; do
            name=$(basename "$folder")
            case $name in *.new) continue ;; esac
            rm -rf "$runs/$name.new"
            mkdir "$runs/$name.new"
            FARPANE_FUZZ=$name "$program" -merge=1 "$runs/$name.new" "$folder" 2>/dev/null
        done
        folders
        rm -rf "$runs"/*.new
        ;;
    table)
        awk -F'\t' '
            { runs[$1] += $2; seconds[$1] += $3; total += $2; time += $3 }
            END {
                print "| target | executions | seconds |\n|---|---:|---:|"
                for (name in runs) printf "| `%s` | %d | %d |\n", name, runs[name], seconds[name] | "sort"
                close("sort")
                printf "| all | %d | %d |\n", total, time
            }' "$executions"
        ;;
    [0-9]*)
        seconds=$1
        shift
        build
        [ -d "$runs/url" ] || folders
        [ $# -gt 0 ] || set -- $(cd "$runs" && ls -d -- */ | tr -d /)
        failed=
        for name; do
            log=$runs/$name.log
            FARPANE_FUZZ=$name "$program" -max_total_time="$seconds" -max_len=16384 -len_control=50 -timeout=10 \
                -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$runs/$name.failed-" "$runs/$name" \
                >"$log" 2>&1 || failed="$failed $name"
            count=$(awk '/stat::number_of_executed_units/ { print $2 }' "$log")
            spent=$(awk '/^Done .* in .* second/ { print $(NF - 1) }' "$log")
            printf '%s\t%s\t%s\n' "$name" "${count:-0}" "${spent:-0}" >>"$executions"
            echo "$name: ${count:-0} executions"
        done
        [ -z "$failed" ] || { echo "failed:$failed (see $runs)" >&2; exit 1; }
        ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
