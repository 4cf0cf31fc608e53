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
    # Where it panicked is in the first line; these would push the words out of what is shown.
    /^stack backtrace:$/ { frames = 1 }
    shown > 0 && !frames && shown-- { print "    " substr($0, 1, 300) }
    /^note: Some details are omitted/ { frames = 0 }
    name != "" && / panicked at / { print "failed: " name; shown = 40; frames = 0; name = "" }
' "$log"
exit "$status"
