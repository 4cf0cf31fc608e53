#!/bin/sh
# Finding: xsel mixes what two programs paste at the same time.
#
# Software: xsel 1.2.0+git9bfc13d.20180109 (Debian 12), python-xlib 0.33.
# Ran:      xsel owns CLIPBOARD with 100,000 bytes, which it gives away in parts (INCR, ICCCM 2.7.2). Two programs, each
#           with a window and a connection of its own, ask for them at once, into properties of the same name, as two
#           programs of one toolkit do. 20 times; each time with another xsel.
# Expected: a transfer belongs to a window and a property of it (ICCCM 2.4), so both get all bytes.
# Seen:     it knows transfers by the property alone: in 19 of 20 rounds one or both get 0 to 96,000 bytes, or never an
#           end. Alone, each gets all. Whoever passes a clipboard on should ask such an owner for one thing at a time, or
#           into properties of different names.
# Exit status: 0 if it is still so.
set -eu
for package in xsel xvfb python3-venv; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' ||
        apt-get install -y --no-install-recommends "$package" >/dev/null
done
work=$(mktemp -d)
x=
trap '[ -z "$x" ] || { kill "$x" 2>/dev/null || true; wait "$x" 2>/dev/null || true; }; rm -rf "$work"' EXIT
/usr/bin/python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet install python-xlib==0.33
dpkg-query -W xsel
Xvfb -displayfd 3 -nolisten tcp -screen 0 640x480x24 3>"$work/display" 2>/dev/null &
x=$!
for _ in $(seq 50); do [ -s "$work/display" ] && break; sleep 0.1; done
DISPLAY=:$(cat "$work/display")
export DISPLAY
"$work/venv/bin/python" - <<'PYTHON'
import select, subprocess, sys, time
from Xlib import X, Xatom, display

SIZE, ROUNDS = 100_000, 20

class Requestor:
    def __init__(self):
        self.display = display.Display()
        self.window = self.display.screen().root.create_window(0, 0, 1, 1, 0, 0, event_mask=X.PropertyChangeMask)
        self.property = self.display.intern_atom("PASTE")
        self.got, self.in_parts, self.done = 0, False, False

    def now(self):
        stamp = self.display.intern_atom("STAMP")
        self.window.change_property(stamp, Xatom.INTEGER, 32, [0])
        self.display.flush()
        while (event := self.display.next_event()).type != X.PropertyNotify or event.atom != stamp:
            pass
        return event.time

    def ask(self, at):
        clipboard = self.display.intern_atom("CLIPBOARD")
        self.window.convert_selection(clipboard, Xatom.STRING, self.property, at)
        self.display.flush()

    def part(self):
        part = self.window.get_full_property(self.property, X.AnyPropertyType)
        if part is not None:
            self.window.delete_property(self.property)
            self.display.flush()
        return part

    def handle(self):
        while self.display.pending_events():
            event = self.display.next_event()
            if event.type == X.SelectionNotify and event.property != X.NONE and (part := self.part()):
                self.in_parts = part.property_type == self.display.intern_atom("INCR")
                if not self.in_parts:
                    self.got, self.done = len(part.value), True
            elif (event.type == X.PropertyNotify and event.state == X.PropertyNewValue and self.in_parts
                  and event.atom == self.property and (part := self.part())):
                self.got += len(part.value)
                self.done |= not part.value

def paste(count):
    """How many bytes each of so many requestors gets, and whether there was an end."""
    requestors = [Requestor() for _ in range(count)]
    times = [requestor.now() for requestor in requestors]
    for requestor, at in zip(requestors, times):
        requestor.ask(at)
    deadline = time.time() + 3
    while time.time() < deadline and not all(requestor.done for requestor in requestors):
        select.select([requestor.display for requestor in requestors], [], [], 0.1)
        for requestor in requestors:
            requestor.handle()
    for requestor in requestors:
        requestor.display.close()
    return [(requestor.got, requestor.done) for requestor in requestors]

short, whole = [], 0
for _ in range(ROUNDS):
    subprocess.run(["xsel", "-ib"], input=b"x" * SIZE, check=True)
    time.sleep(0.2)
    assert paste(1) == [(SIZE, True)], "one alone"
    got = paste(2)
    whole += got == [(SIZE, True)] * 2
    short += [bytes for bytes, _ in got if bytes < SIZE]
print(f"{ROUNDS - whole} of {ROUNDS} rounds mixed; bytes of those who got less: {short}")
sys.exit(whole == ROUNDS)
PYTHON
