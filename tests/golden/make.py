#!/usr/bin/env python3
"""Makes the golden vectors with Xpra's own packet encoders.

    /opt/xpra6/bin/python3 tests/golden/make.py rencodeplus > tests/golden/rencodeplus.json
    /usr/bin/python3       tests/golden/make.py bencode     > tests/golden/bencode.json

The first wants Xpra 6.5.5 (PyPI), the second 3.1.3 (Debian 12). Each vector is the encoded value
in hexadecimal and the value in a form that keeps the types apart:
n null, t bool, i integer (as text), f float, s text, b bytes (hexadecimal), l list, d pairs.
"""

import json
import sys


def tagged(value):
    if value is None:
        return {"n": 0}
    if isinstance(value, bool):
        return {"t": value}
    if isinstance(value, int):
        return {"i": str(value)}
    if isinstance(value, float):
        return {"f": value}
    if isinstance(value, str):
        return {"s": value}
    if isinstance(value, bytes):
        return {"b": value.hex()}
    if isinstance(value, (list, tuple)):
        return {"l": [tagged(v) for v in value]}
    if isinstance(value, dict):
        return {"d": [[tagged(k), tagged(v)] for k, v in value.items()]}
    raise TypeError(type(value))


def integers():
    edges = {0, 43, 44, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32,
             2**63 - 1, -1, -32, -33, -128, -129, -32768, -32769, -2**31, -2**31 - 1, -2**63}
    around = {e + d for e in edges for d in (-1, 0, 1)}
    return sorted(i for i in around if -2**63 <= i < 2**63)


LENGTHS = (0, 1, 9, 10, 23, 24, 25, 26, 62, 63, 64, 65, 99, 100, 127, 128)
LONG = (255, 256, 999, 1000)

PACKETS = [
    ["hello", {"version": "6.5.5", "encodings": ["rgb24", "png", "h264"], "encoding": {"rgb_formats": ["BGRX"]}}],
    ["ping", 123456789, 1700000000000, "sid"],
    ["draw", 1, 0, 0, 640, 480, "rgb32", b"\x00\x01\xfe\xff", 17, 2560, {"rgb_format": "BGRX", "lz4": 1}],
    ["draw", 1, 0, 0, 640, 480, "scroll", [[0, 16, 640, 464, 0, -16]], 18, 0, {"flush": 1}],
    ["new-window", 2, -10, 20, 300, 200, {"title": "a title", "class-instance": ["xterm", "XTerm"]}, {}],
]


def rencodeplus_values():
    yield from integers()
    yield from (2**63, 2**64 - 1)
    yield from (None, True, False, 0.0, 1.5, -0.1, 1e300)
    for n in LENGTHS:
        yield "x" * n
        yield b"\x80" * n
        yield [1] * n
        yield {i: i for i in range(n)}
    for n in LONG:
        yield "x" * n
        yield b"\x80" * n
    yield from ("é", "漢字" * 21, "漢字" * 22, "😀", b"", b"\xff\x00")
    yield [[[[]]], {}, [{}], {"a": {"b": [1, {"c": None}]}}]
    yield from PACKETS


def bencode_values():
    yield from integers()
    yield from (2**63, 2**64 - 1)
    for n in LENGTHS:
        yield b"\x80" * n
        yield [1] * n
        yield {i: i for i in range(n)}
    for n in LONG:
        yield b"\x80" * n
    yield [[[[]]], {}, [{}], {b"a": {b"b": [1, {b"c": 0}]}}]
    for packet in PACKETS:
        yield as_bytes(packet)


def as_bytes(value):
    """bencode decodes text as bytes."""
    if isinstance(value, str):
        return value.encode("utf8")
    if isinstance(value, list):
        return [as_bytes(v) for v in value]
    if isinstance(value, dict):
        return {as_bytes(k): as_bytes(v) for k, v in value.items()}
    return value


def main():
    encoder = sys.argv[1]
    from xpra import __version__ as version
    if encoder == "rencodeplus":
        from xpra.net.rencodeplus.rencodeplus import dumps, loads
        values = rencodeplus_values()
    else:
        from xpra.net.bencode.bencode import bencode as dumps, bdecode

        def loads(data):
            return bdecode(data)[0]
        values = bencode_values()
    vectors = []
    for value in values:
        data = bytes(dumps(value))
        decoded = loads(data)
        normal = json.loads(json.dumps(tagged(decoded)))
        assert normal == json.loads(json.dumps(tagged(value))), (value, decoded)
        vectors.append({"hex": data.hex(), "value": normal})
    print('{"made_by": "xpra %s, %s", "vectors": [' % (version, encoder))
    print(",\n".join(json.dumps(v, ensure_ascii=True, separators=(",", ":")) for v in vectors))
    print("]}")


if __name__ == "__main__":
    main()
