# Makes the Windows installer, in target\packages. Needs Rust, Visual Studio's build tools (in a developer's
# shell, for rc.exe), cmake, nasm, Python 3 and WiX 4 (dotnet tool install --global wix --version 4.0.6).
# The icon is assets\farpane.ico, by `packaging/icons.sh ico` on a Unix machine; its path is the argument.
# Never run: see packaging/README.md.
param([Parameter(Mandatory)] [string] $Icon)
$ErrorActionPreference = "Stop"
$PSNativeCommandUseErrorActionPreference = $true
Set-Location "$PSScriptRoot\..\.."
$version = (Select-String -Path Cargo.toml -Pattern '^version = "(.*)"').Matches[0].Groups[1].Value
$work = "target\windows"
New-Item -ItemType Directory -Force $work, target\packages | Out-Null

Copy-Item $Icon "$work\farpane.ico"
Copy-Item packaging\windows\farpane.rc $work
(Get-Content packaging\windows\farpane.exe.manifest -Raw).Replace("@VERSION@", $version) | Set-Content "$work\farpane.exe.manifest"
$numbers = $version.Replace(".", ",") + ",0"
rc.exe /nologo /d "VERSION_NUMBERS=$numbers" /d "VERSION_TEXT=\`"$version\`"" /fo "$work\farpane.res" "$work\farpane.rc"

$resources = (Resolve-Path "$work\farpane.res").Path
cargo rustc --locked --profile dist --no-default-features --features packaged --bin farpane -- -C opt-level=3 -C "link-arg=$resources" -C "link-arg=/MANIFEST:NO"
$binary = "target\dist\farpane.exe"
& $binary config --show | Set-Content -Encoding utf8 "$work\farpane.toml"
python packaging\licences.py --out "$work\licences.txt"
wix build packaging\windows\farpane.wxs -arch x64 `
    -d "Version=$version" -d "Binary=$binary" -d "Icon=$work\farpane.ico" `
    -d "Licences=$work\licences.txt" -d "Example=$work\farpane.toml" -d "Root=$PWD" `
    -o "target\packages\farpane-$version-x86_64.msi"
