#!/bin/sh
# Xpra 6.5.5: its own client's wish for an h264 profile never reaches the encoder.
#
# Expected: the client says encoding {h264: {"YUV420P.profile": "high"}}, the encoder asks its options for
# "h264.YUV420P.profile", and finds it, as it finds "h264.fast-decode" that was said in the same way.
# Seen: a name with dots is taken apart dot by dot, and only the last part is looked up: the key with a dot inside of the
# map is not found; one level more of maps is, and so is the flat name. So each client gets the encoder's default
# profile, whatever it asked for (for x264 and YUV420P "high", although less capable clients ask for "baseline").
set -eu
version=6.5.5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip="$work/venv/bin/python -m pip --quiet --disable-pip-version-check"
$pip install "Cython==3.3.1" "setuptools==80.9.0" wheel
# (pip runs setup.py for the metadata; --minimal makes that quick)
PATH="$work/venv/bin:$PATH" XPRA_EXTRA_BUILD_ARGS=--minimal $pip download "xpra==$version" \
    --no-binary :all: --no-deps --no-build-isolation -d "$work"
tar xf "$work/xpra-$version.tar.gz" -C "$work"
cd "$work/xpra-$version"
"$work/venv/bin/python" - <<'PYTHON'
from xpra.codecs.constants import get_profile
from xpra.util.objects import typedict

ways = {
    "as its own client says it": {"h264": {"YUV420P.profile": "main", "fast-decode": True}},
    "one more map": {"h264": {"YUV420P": {"profile": "main"}, "fast-decode": True}},
    "the general one": {"h264": {"profile": "main", "fast-decode": True}},
    "flat": {"h264.YUV420P.profile": "main", "h264.fast-decode": True},
}
expected = {"as its own client says it": "", "one more map": "main", "the general one": "main", "flat": "main"}
found = {}
for name, options in ways.items():
    found[name] = get_profile(typedict(options), csc_mode="YUV420P", default_profile="")
    print(f"{name}: profile {found[name] or 'not found'}, fast-decode {typedict(options).boolget('h264.fast-decode')}")
raise SystemExit(found != expected)
PYTHON
echo "Xpra $version: as described"
