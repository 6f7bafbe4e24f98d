#!/usr/bin/env bash
# Builds Helm 4 as `helm4` into a folder of the same cache as ../build.sh, and
# prints that folder on stdout. Builds nothing when nothing has changed.
#
# A script of its own: its changes must not change the fingerprint of the
# control plane, which takes minutes to build. After that, this takes 60 CPU seconds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

export CGO_ENABLED=0 GOWORK=off GOFLAGS=-buildvcs=false

cache=${KGW_DOCTOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kgw-doctor}
fingerprint=$({
	go env GOVERSION GOOS GOARCH
	cat go.mod go.sum build.sh
} | git hash-object --stdin | cut -c1-16)
bin=$cache/helm4-$fingerprint
mkdir -p "$bin"

if [[ ! -x $bin/helm4 ]]; then
	echo "build.sh: building helm4" >&2
	version=$(awk '$1 == "helm.sh/helm/v4" { print $2; exit }' go.mod)
	# The flags of ../build.sh: what is compiled there is not compiled again.
	GOGC=off go build -trimpath -gcflags='all=-dwarf=false -l' \
		-ldflags="-s -w -X helm.sh/helm/v4/internal/version.version=$version" \
		-o "$bin/.helm4.$$" helm.sh/helm/v4/cmd/helm
	mv "$bin/.helm4.$$" "$bin/helm4"
	echo "build.sh: built helm4 in $SECONDS s" >&2
fi
echo "$bin"
