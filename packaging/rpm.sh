#!/bin/sh
# Makes the RPM package. packaging/rpm.sh OUT [BINARY]
set -eu
cd "$(dirname "$0")/.."
. packaging/common.sh
need rpmbuild rpm
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
packaging/stage.sh "$work/stage" ${2:+"$2"}
rpmbuild -bb --quiet --target "$machine" packaging/linux/farpane.spec \
    --define "_topdir $work" --define "_rpmdir $work/out" --define "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" \
    --define "_binary_payload w$compression.xzdio" --define "_dbpath $work/db" --define "_buildhost farpane" \
    --define "use_source_date_epoch_as_buildtime 1" --define "clamp_mtime_to_source_date_epoch 1" \
    --define "farpane_version $version" --define "farpane_stage $work/stage" --define "farpane_summary $summary"
mv "$work"/out/*.rpm "$out/"
echo "$out/farpane-$version-1.$machine.rpm"
