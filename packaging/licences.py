#!/usr/bin/env python3
"""Writes the licences of everything that is linked into Farpane: the crates, the C libraries and fonts that
they bring along, and Rust's standard library.

    packaging/licences.py [--target TRIPLE] [--out FILE]
    packaging/licences.py --names [--target TRIPLE]     one line a crate: name, version, licence

It takes the texts from the crates' own sources, so it needs those (`cargo fetch`). A crate that ships none
gets the text of the licence that it states; one that is not known here is an error.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
LICENCE_FILE = re.compile(r"^(un)?licen[cs]es?([-._].*)?$|^copy(ing|right|leftright)([-._].*)?$|^notice([-._].*)?$"
                          r"|^patents$|^readme\.ijg$|^[\w-]+-(licence|license|ofl)\.txt$|^(ofl|ufl)([-._].*)?$", re.IGNORECASE)
CODE = (".c", ".h", ".cc", ".cpp", ".rs", ".py", ".s", ".asm", ".html", ".toml", ".json", ".rtf")
# Not in the program, though in the crate's archive.
SKIPPED = {"tests", "test", "testdata", "examples", "benches", "fuzz", "fuzzing", "doc", "docs", "gtest", "java", "contrib",
           "codec_test", "simd-tests", ".github", ".git", "target"}
# Texts of licences that a crate offers and that are not the one taken: Farpane takes zstd under its BSD licence,
# self_cell under Apache's.
NOT_TAKEN = {("zstd-sys", "zstd/COPYING"), ("self_cell", "LICENSE-GPLv2")}


def run(*command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def linked(target):
    """The packages whose code is in the program for this target, by name: no build scripts, no macros."""
    metadata = json.loads(run("cargo", "metadata", "--locked", "--format-version=1", "--filter-platform", target))
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}

    def is_macro(package):
        return any("proc-macro" in part["kind"] for part in package["targets"])

    root = metadata["resolve"]["root"]
    found, todo = {root}, [root]
    while todo:
        for dependency in nodes[todo.pop()]["deps"]:
            name = dependency["pkg"]
            normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if normal and name not in found and not is_macro(packages[name]):
                found.add(name)
                todo.append(name)
    # Farpane's own have no source.
    others = (packages[name] for name in found if packages[name]["source"])
    return sorted(others, key=lambda package: (package["name"], package["version"]))


def texts_in(folder):
    """The licence files below a folder, as (path, text)."""
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name.lower() not in SKIPPED)
        fonts = any(name.endswith(".ttf") for name in files)
        for name in sorted(files):
            if LICENCE_FILE.match(name) and not name.lower().endswith(CODE) or fonts and name.endswith(".txt"):
                full = os.path.join(path, name)
                with open(full, encoding="utf-8", errors="replace") as file:
                    yield os.path.relpath(full, folder), file.read()


def stated(package):
    """The text for a crate that ships none, from what its manifest says."""
    licence = package["license"] or ""
    holders = ", ".join(re.sub(r"\s*<[^>]*>", "", author) for author in package["authors"]) or f"the authors of {package['name']}"
    names = set(re.findall(r"[A-Za-z0-9.+-]+", licence)) - {"OR", "AND", "WITH"}
    with open(os.path.join(ROOT, "LICENSE-MIT"), encoding="utf-8") as file:
        mit = re.sub(r"Copyright \(c\).*", f"Copyright (c) {holders}", file.read(), count=1)
    if "MIT" in names:
        return mit
    if "Apache-2.0" in names:
        with open(os.path.join(ROOT, "LICENSE-APACHE"), encoding="utf-8") as file:
            return f"Copyright {holders}\n\n{file.read()}"
    if "Zlib" in names:
        return ZLIB.format(holders=holders)
    if "BSD-3-Clause" in names:
        return BSD3.format(holders=holders)
    if "BSD-2-Clause" in names:
        return re.sub(r"3\. .*?permission\.\n", "", BSD3.format(holders=holders), flags=re.DOTALL)
    if "BSL-1.0" in names:
        return BSL.format(holders=holders)
    raise SystemExit(f"licences: {package['name']} {package['version']} ships no licence text, "
                     f"and there is none here for '{licence}'")


ZLIB = """Copyright (c) {holders}

This software is provided 'as-is', without any express or implied warranty. In no event will the authors be
held liable for any damages arising from the use of this software.

Permission is granted to anyone to use this software for any purpose, including commercial applications, and
to alter it and redistribute it freely, subject to the following restrictions:

1. The origin of this software must not be misrepresented; you must not claim that you wrote the original
   software. If you use this software in a product, an acknowledgment in the product documentation would be
   appreciated but is not required.
2. Altered source versions must be plainly marked as such, and must not be misrepresented as being the
   original software.
3. This notice may not be removed or altered from any source distribution.
"""

BSD3 = """Copyright (c) {holders}

Redistribution and use in source and binary forms, with or without modification, are permitted provided that
the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this list of conditions and the
   following disclaimer.
2. Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the
   following disclaimer in the documentation and/or other materials provided with the distribution.
3. Neither the name of the copyright holder nor the names of its contributors may be used to endorse or
   promote products derived from this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED
WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A
PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY
DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO,
PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR
OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH
DAMAGE.
"""

BSL = """Copyright {holders}

Boost Software License - Version 1.0 - August 17th, 2003

Permission is hereby granted, free of charge, to any person or organization obtaining a copy of the software
and accompanying documentation covered by this license (the "Software") to use, reproduce, display,
distribute, execute, and transmit the Software, and to prepare derivative works of the Software, and to
permit third-parties to whom the Software is furnished to do so, all subject to the following:

The copyright notices in the Software and this entire statement, including the above license grant, this
restriction and the following disclaimer, must be included in all copies of the Software, in whole or in
part, and all derivative works of the Software, unless such copies or derivative works are solely in the form
of machine-executable object code generated by a source language processor.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED
TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE, TITLE AND NON-INFRINGEMENT. IN NO
EVENT SHALL THE COPYRIGHT HOLDERS OR ANYONE DISTRIBUTING THE SOFTWARE BE LIABLE FOR ANY DAMAGES OR OTHER
LIABILITY, WHETHER IN CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR
THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

RUST = """Rust's standard library: copyright (c) The Rust Project contributors, under the MIT license or the Apache
License 2.0, at your choice."""


def document(packages):
    """The whole file: who is under what, then each different text once."""
    texts = {}
    lines = ["Farpane contains the work of others, under these licences. Each text comes once, and says whose it is.", "", RUST, ""]
    for package in packages:
        name = f"{package['name']} {package['version']}"
        lines.append(f"  {name}: {package['license'] or 'see its text'}")
        folder = os.path.dirname(package["manifest_path"])
        own = [(path, text) for path, text in texts_in(folder) if (package["name"], path) not in NOT_TAKEN]
        for path, text in own or [("stated in Cargo.toml", stated(package))]:
            text = "\n".join(line.rstrip() for line in text.replace("\r", "").strip("\n").split("\n"))
            key = hashlib.sha256(" ".join(text.split()).encode()).digest()
            texts.setdefault(key, (text, []))[1].append(f"{name} ({path})")
    for text, owners in texts.values():
        lines += ["", "=" * 100, *owners, "-" * 100, "", text]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", help="the target triple [this machine's]")
    parser.add_argument("--out", help="the file to write [standard output]")
    parser.add_argument("--names", action="store_true")
    arguments = parser.parse_args()
    target = arguments.target or re.search(r"^host: (.*)$", run("rustc", "-vV"), re.MULTILINE).group(1)
    packages = linked(target)
    if arguments.names:
        text = "".join(f"{package['name']} {package['version']} {package['license']}\n" for package in packages)
    else:
        text = document(packages)
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
