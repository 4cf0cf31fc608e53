#!/usr/bin/python3
"""A window to record: what to draw with is there wherever Debian's Xpra is.

window.py video: 320 x 240 pixels that move for three seconds, 25 times a second, and then rest.
window.py still: 1920 x 1080 pixels that do not move.
"""
import math
import sys

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import GLib, Gtk  # noqa: E402

FRAMES, EVERY_MS = 75, 40


def video(context, width, height, frame):
    for band in range(0, height, 4):
        level = band / height
        context.set_source_rgb(0.2 + 0.6 * level, 0.4, 0.8 - 0.5 * math.sin(level * 3 + frame / 20) ** 2)
        context.rectangle(0, band, width, 4)
        context.fill()
    x = width * (0.5 + 0.38 * math.sin(frame / 9))
    y = height * (0.8 - 0.55 * abs(math.sin(frame / 7)))
    context.set_source_rgb(0.95, 0.8, 0.2)
    context.arc(x, y, 26, 0, 2 * math.pi)
    context.fill()


def still(context, width, height, _frame):
    for column in range(16):
        for row in range(9):
            context.set_source_rgb(column / 16, row / 9, (column + row) % 3 / 3)
            context.rectangle(column * width / 16, row * height / 9, width / 16, height / 9)
            context.fill()
    context.set_source_rgb(1, 1, 1)
    context.select_font_face("monospace")
    context.set_font_size(16)
    for line in range(6):
        context.move_to(40 + 300 * line, 60 + 120 * line)
        context.show_text("a large picture, packed with lz4")


def main():
    name = sys.argv[1]
    width, height = (320, 240) if name == "video" else (1920, 1080)
    draw = {"video": video, "still": still}[name]
    window = Gtk.Window(title=name, decorated=False)
    window.set_default_size(width, height)
    area = Gtk.DrawingArea()
    state = {"frame": 0}
    area.connect("draw", lambda _, context: draw(context, width, height, state["frame"]))
    window.add(area)
    window.connect("destroy", Gtk.main_quit)

    def tick():
        state["frame"] += 1
        area.queue_draw()
        return state["frame"] < FRAMES

    def begin():
        GLib.timeout_add(EVERY_MS, tick)
        return False

    if name == "video":
        # The client is there by then.
        GLib.timeout_add(int(sys.argv[2]) if len(sys.argv) > 2 else 1000, begin)
    window.show_all()
    Gtk.main()


main()
