#!/bin/sh
# Runs a command of `cargo test`. If tests fail, the last lines say which and with what words: the end is what services
# for continuous integration show of a long log, and the logs of a failed test's programs fill thousands of lines.
log=$(mktemp) || exit 1
trap 'rm -f "$log" "$log.status"' EXIT
{
    "$@" 2>&1
    echo $? >"$log.status"
} | tee "$log"
status=$(cat "$log.status")
[ "$status" = 0 ] || awk '
    /^---- .* stdout ----$/ { name = $2 }
    shown > 0 && shown-- { print "    " substr($0, 1, 300) }
    name != "" && / panicked at / { print "failed: " name; shown = 40; name = "" }
' "$log"
exit "$status"
