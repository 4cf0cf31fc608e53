"""Reads addresses, a line each, and prints as JSON where Xpra's own client would go (both generations).

Run by tests/it/net/addresses.rs in the Python of each generation.
"""
import inspect
import json
import sys

try:
    from xpra.scripts.parsing import parse_display_name
except ImportError:
    from xpra.scripts.main import parse_display_name
from xpra.scripts.config import make_defaults_struct

KEYS = ("type", "host", "port", "display", "username", "password", "socket_path")


class Refused(Exception):
    pass


def refuse(message):
    raise Refused(message)


def understood(address):
    options = make_defaults_struct()
    takes_error_callback = list(inspect.signature(parse_display_name).parameters)[0].startswith("error")
    arguments = ([refuse] if takes_error_callback else []) + [options, address]
    try:
        description = parse_display_name(*arguments)
    except Exception as error:
        return {"refused": str(error)}
    return {key: description[key] for key in KEYS if description.get(key)}


print(json.dumps([understood(line) for line in sys.stdin.read().split("\n") if line]))
