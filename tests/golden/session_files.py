#!/usr/bin/env python3
"""Writes and reads session files with Xpra's own launcher code.

    session_files.py write FILE [NAME=VALUE...]   as the launcher's Save button does
    session_files.py read FILE                    as its Load button does; prints JSON

Run by the Python of an Xpra installation; 3.1.3 wants a display. Written by it:

    /usr/bin/python3 tests/golden/session_files.py write tests/golden/session-3.1.3.xpra mode=ssl \\
        host=server.example.org port=14501 username=alice password=hidden encoding=webp quality=70 \\
        autoconnect=yes ssl-server-verify-mode=required ssl-check-hostname=no sharing=yes
    ~/.cache/farpane/xpra-6.5.5/bin/python3 tests/golden/session_files.py write \\
        tests/golden/session-6.5.5.xpra mode=wss host=server.example.org port=8443 path=100 username=alice \\
        quality=70 autoconnect=yes encodings=png compression_level=3 speaker=off title=Work
"""

import json
import sys

from xpra.scripts.config import make_defaults_struct, read_config, save_config, validate_config

try:
    from xpra.client.gtk3 import launcher
except ImportError:
    from xpra.client.gtk_base import client_launcher as launcher


def load(properties):
    """What ApplicationWindow's __init__ and _apply_props do, without its window."""
    config = make_defaults_struct(extras_defaults=launcher.LAUNCHER_DEFAULTS, extras_types=launcher.LAUNCHER_OPTION_TYPES)
    options = validate_config(properties, extras_types=launcher.LAUNCHER_OPTION_TYPES)
    for key, value in options.items():
        setattr(config, key.replace("-", "_"), value)
    return config, options


def main():
    command, filename, *pairs = sys.argv[1:]
    if command == "write":
        properties = dict(pair.split("=", 1) for pair in pairs)
        config, _ = load(properties)
        keys = sorted(set(launcher.SAVED_FIELDS).union(properties))
        save_config(filename, config, keys, extras_types=launcher.LAUNCHER_OPTION_TYPES)
    else:
        _, options = load(read_config(filename))
        print(json.dumps(options, default=str))


if __name__ == "__main__":
    main()
