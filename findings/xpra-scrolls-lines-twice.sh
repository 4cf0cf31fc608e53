#!/bin/sh
# Finding: the rectangles of one of Xpra's scroll draws can cover several times their window.
#
# Software: Xpra 3.1.3 (Debian 12: xpra), its search for lines that moved (xpra.server.window.motion).
# Ran:      pictures of 50 lines, most of them empty as in a terminal, and the same scrolled up; the search is asked
#           which lines to move how far.
# Expected: every line of the new picture comes from one line of the old one, so that all moves together write at most
#           the window.
# Seen:     lines that look the same are counted for several distances: 197 lines are moved in a picture of 50, and later
#           moves write over earlier ones. A client that takes that for an attack, and refuses it, refuses ordinary
#           text. (The search of PyPI's 6.5.5 moves 146 lines with the same pictures.)
# Exit status: 0 if it is still so.
set -eu
dpkg-query -W -f '${db:Status-Status}' xpra 2>/dev/null | grep -q '^installed$' ||
    apt-get install -y --no-install-recommends xpra >/dev/null
xpra --version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Another Python than Debian's does not see its packages.
/usr/bin/python3 - <<'PYTHON'
import random, sys
from xpra.server.window.motion import ScrollData

WIDTH, LINES = 32, 50

def picture(lines):
    return b"".join(bytes([line, line * 7 & 255, 0, 255]) * WIDTH for line in lines)

def moved(before, after):
    data = ScrollData()
    for lines in before, after:
        data.update(picture(lines), 0, 0, WIDTH, LINES, WIDTH * 4, 4)
    data.calculate()
    moves, _ = data.get_scroll_values()
    return sum(sum(starts.values()) for starts in moves.values()) if moves else 0

most = 0
for seed in range(3000):
    chance = random.Random(seed)
    before = [chance.randrange(1, 50) if chance.random() < 0.3 else 0 for _ in range(LINES)]
    distance = chance.randrange(1, LINES // 2)
    after = before[distance:] + [0] * distance
    most = max(most, moved(before, after))
print(f"lines moved by one draw at most: {most} of {LINES}")
sys.exit(most <= 2 * LINES)
PYTHON
