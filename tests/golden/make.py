#!/usr/bin/env python3
"""Makes the golden vectors with Xpra's own packet encoders.

    /opt/xpra6/bin/python3 tests/golden/make.py rencodeplus > tests/golden/rencodeplus.json
    /usr/bin/python3       tests/golden/make.py bencode     > tests/golden/bencode.json
    python3                tests/golden/make.py yaml        > tests/golden/yaml.json

The first wants Xpra 6.5.5 (PyPI), the second 3.1.3 (Debian 12), the third PyYAML alone. Each vector
is the encoded value in hexadecimal (of YAML: as PyYAML writes it, and in the form that Farpane
writes, which PyYAML must read) and the value in a form that keeps the types apart:
n null, t bool, i integer (as text), f float, s text, b bytes (hexadecimal), l list, d pairs.
"""

import base64
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


def yaml_values():
    yield from integers()
    yield from (2**63, 2**64 - 1)
    yield from (None, True, False, 0.0, 1.5, -0.1, 1e300, -1.5e-10)
    yield from ("", "yes", "null", "~", "123", "-1", "1.5", ".inf", "2026-11-23", "0x1f", "<<", "=", "!x")
    yield from ("a: b", "# no comment", "- x", " before", "after ", "\t", "it's", '"', "\\", "a\nb\n\nc\n", "\r\n")
    yield from ("é", "漢字", "😀", "\0\a\x1b\x7f\x85\xa0\u2028\u2029\ufeff\ufffd", "word " * 100, "x" * 1000)
    yield from (b"\xff\x00", bytes(range(256)))
    yield [[[[]]], {}, [{}], {"a": {"b": [1, {"c": None}]}}]
    yield {"": True, "nested": [{"a": 1, "b": [2]}, [[3], {}]], 7: "seven"}
    shared = ["png", "jpeg"]
    yield {"core": shared, "options": shared, "all": [shared, {"of": shared}]}
    yield from PACKETS


def flow(value):
    """One line, as Farpane writes it."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, float):
        text = repr(value)
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(escaped(c) for c in value) + '"'
    if isinstance(value, bytes):
        return '!!binary "%s"' % base64.b64encode(value).decode("ascii")
    if isinstance(value, list):
        return "[%s]" % ", ".join(flow(v) for v in value)
    return "{%s}" % ", ".join("%s: %s" % (flow(k), flow(v)) for k, v in value.items())


def escaped(c):
    code = ord(c)
    if c in '"\\':
        return "\\" + c
    if c == "\n":
        return "\\n"
    if code < 0x20 or 0x7f <= code < 0xa0:
        return "\\x%02x" % code
    return "\\u%04x" % code if code in (0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff) else c


def yaml_vectors():
    import yaml
    vectors = []
    for value in yaml_values():
        text = yaml.dump(value, sort_keys=False)
        line = flow(value)
        normal = json.loads(json.dumps(tagged(value)))
        for form in (text, line):
            decoded = yaml.load(form, Loader=yaml.SafeLoader)
            assert json.loads(json.dumps(tagged(decoded))) == normal, (form, value)
        vectors.append({"hex": text.encode("utf8").hex(), "line": line, "value": normal})
    return "PyYAML " + yaml.__version__, vectors


def main():
    encoder = sys.argv[1]
    if encoder == "yaml":
        write(*yaml_vectors())
        return
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
    write("xpra %s, %s" % (version, encoder), vectors)


def write(made_by, vectors):
    print('{"made_by": "%s", "vectors": [' % made_by)
    print(",\n".join(json.dumps(v, ensure_ascii=True, separators=(",", ":")) for v in vectors))
    print("]}")


if __name__ == "__main__":
    main()
