#!/usr/bin/python3
"""Reads every recipe that cannot be built here and checks what can be checked without its tools: its syntax,
that the files it names are there, its version, and that it knows the same links and files as the desktop
entry. Prints what is wrong. Needs python3-yaml; and bash, as makepkg does."""

import configparser
import glob
import os
import plistlib
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree

import yaml

os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
problems = []
APP_ID = "io.github.farpane.Farpane"
MIME = "application/x-xpraconfig"


def expect(condition, problem):
    if not condition:
        problems.append(problem)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def same(what, got, expected):
    expect(got == expected, f"{what}: got {got}, expected {expected}")


with open("Cargo.toml", "rb") as cargo_toml:
    VERSION = tomllib.load(cargo_toml)["package"]["version"]

# The desktop entry says what is opened; the others must agree.
entry = configparser.ConfigParser(interpolation=None)
entry.optionxform = str
entry.read("packaging/linux/farpane.desktop")
types = entry["Desktop Entry"]["MimeType"].strip(";").split(";")
PREFIX = "x-scheme-handler/"
SCHEMES = sorted(name.removeprefix(PREFIX) for name in types if name.startswith(PREFIX))
expect(MIME in types, f"farpane.desktop does not open {MIME}")
expect(entry["Desktop Entry"]["Exec"] == "farpane open %u", "farpane.desktop: Exec is not 'farpane open %u'")
for action in entry["Desktop Entry"]["Actions"].strip(";").split(";"):
    expect(f"Desktop Action {action}" in entry, f"farpane.desktop: no action {action}")

mime = ElementTree.parse("packaging/linux/farpane-mime.xml").getroot()
same("farpane-mime.xml", mime[0].get("type"), MIME)
meta = ElementTree.parse(f"packaging/linux/{APP_ID}.metainfo.xml").getroot()
same("metainfo: id", meta.findtext("id"), APP_ID)
same("metainfo: mediatype", meta.findtext("provides/mediatype"), MIME)
ElementTree.parse("assets/logo.svg")

# Flatpak
flatpak = yaml.safe_load(read(f"packaging/flatpak/{APP_ID}.yaml"))
same("flatpak: id", flatpak["id"], APP_ID)
sources = flatpak["modules"][0]["sources"]
cargo_config = tomllib.loads(next(source["contents"] for source in sources if source["type"] == "inline"))
same("flatpak: folder of the crates", cargo_config["source"]["vendored"]["directory"], sources[1]["dest"])

# Windows
wix = ElementTree.parse("packaging/windows/farpane.wxs").getroot()
schemes = re.search(r"<\?foreach Scheme in (.*?)\?>", read("packaging/windows/farpane.wxs")).group(1).split(";")
same("farpane.wxs: links", sorted(schemes), SCHEMES)
WIX = "{http://wixtoolset.org/schemas/v4/wxs}"
same("farpane.wxs: session files", [part.get("ContentType") for part in wix.iter(f"{WIX}Extension")], [MIME])
given = set(re.findall(r'-d "(\w+)=', read("packaging/windows/build.ps1")))
used = set(re.findall(r"\$\(var\.(\w+)\)", read("packaging/windows/farpane.wxs"))) - {"Scheme"}
same("farpane.wxs: variables that build.ps1 gives", given, used)
manifest = read("packaging/windows/farpane.exe.manifest")
ElementTree.fromstring(manifest.split("?>", 1)[1])
expect("PerMonitorV2" in manifest, "farpane.exe.manifest: not aware of each monitor's DPI")
for name in re.findall(r'^1 \S+ "(.*)"', read("packaging/windows/farpane.rc"), re.MULTILINE):
    expect(name in read("packaging/windows/build.ps1"), f"farpane.rc: build.ps1 does not bring {name}")

# macOS
plist = plistlib.loads(read("packaging/macos/Info.plist").encode())
same("Info.plist: id", plist["CFBundleIdentifier"], APP_ID)
same("Info.plist: links", sorted(plist["CFBundleURLTypes"][0]["CFBundleURLSchemes"]), SCHEMES)
declared = plist["UTImportedTypeDeclarations"][0]
same("Info.plist: session files", declared["UTTypeTagSpecification"]["public.mime-type"], MIME)
same("Info.plist: document type", plist["CFBundleDocumentTypes"][0]["LSItemContentTypes"], [declared["UTTypeIdentifier"]])

# Arch
subprocess.run(["bash", "-n", "packaging/arch/PKGBUILD"], check=True)
fields = subprocess.run(["bash", "-c", '. packaging/arch/PKGBUILD; echo "$pkgver"; declare -F build package >/dev/null || echo lost'],
                        check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout.split()
same("PKGBUILD: version", fields, [VERSION])

# Nix has no parser here: brackets and strings must pair, at least.
for path in sorted(glob.glob("packaging/nix/*.nix")):
    text = re.sub(r"''.*?''|\"[^\"]*\"|#.*", "", read(path), flags=re.DOTALL) if "''" in read(path) else re.sub(r'"[^"]*"|#.*', "", read(path))
    for opening, closing in ("{}", "[]", "()"):
        same(f"{path}: {opening} and {closing}", text.count(opening), text.count(closing))

# The workflow
workflow = yaml.safe_load(read(".github/workflows/release.yml"))
jobs = workflow["jobs"]
for name, job in jobs.items():
    needs = job.get("needs", [])
    for need in [needs] if isinstance(needs, str) else needs:
        expect(need in jobs, f"release.yml: {name} needs {need}, which is no job")
    for step in job["steps"]:
        expect(("uses" in step) != ("run" in step), f"release.yml: a step of {name} has not one of 'uses' and 'run'")
for name in ("linux", "appimage", "flatpak", "windows", "macos", "arch", "nix"):
    expect(name in jobs and name in jobs["draft"]["needs"], f"release.yml does not build {name}")

# Scripts, and every path of the repository that a recipe names.
recipes = [path for folder in ("flatpak", "windows", "macos", "arch", "nix", "linux") for path in glob.glob(f"packaging/{folder}/*")]
recipes += glob.glob("packaging/*.sh") + [".github/workflows/release.yml"]
for path in recipes:
    text = read(path)
    if text.startswith("#!/bin/sh") or text.startswith("#!/bin/bash"):
        subprocess.run(["bash" if "bash" in text.split("\n", 1)[0] else "sh", "-n", path], check=True)
        expect(os.access(path, os.X_OK), f"{path} cannot be executed")
    for named in re.findall(r"(?<![\w/.$@-])(?:packaging|assets)[/\\][\w./\\@-]*\w", text.replace("\\\n", "")):
        named = named.replace("\\", "/")
        if named != "assets/farpane.ico":
            expect(os.path.exists(named) or glob.glob(named + "*"), f"{path} names {named}, which is not there")

for problem in problems:
    print(problem, file=sys.stderr)
sys.exit(1 if problems else 0)
