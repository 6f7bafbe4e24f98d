#!/usr/bin/env bash
# Builds the control plane, and kubectl and helm where PATH has none that serve,
# into a cache folder outside the repository. Prints that folder on stdout,
# progress on stderr. Builds nothing when nothing has changed.
#
#   PATH="$(test/controlplane/build.sh):$PATH"
#
# Needs Go and git. Environment:
#   KGW_DOCTOR_CACHE   the cache; default ${XDG_CACHE_HOME:-~/.cache}/kgw-doctor
#   FORCE=1            build kubectl and helm even where PATH has good ones
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Without cgo no C compiler is needed. GOWORK and GOFLAGS of the user's could
# choose other versions than go.mod's.
export CGO_ENABLED=0 GOWORK=off GOFLAGS=-buildvcs=false

say() { echo "build.sh: $*" >&2; }

fingerprint() {
	{
		go env GOVERSION GOOS GOARCH
		cat go.mod go.sum build.sh cmd/controlplane/*.go
	} | git hash-object --stdin | cut -c1-16
}

# build NAME PACKAGE: the progress of `go build -v` is a package per line.
build() {
	local name=$1 package=$2 begun=$SECONDS told=$SECONDS count=0 line
	[[ ! -x $bin/$name ]] || return 0
	say "building $name; the first time this takes minutes"
	# No collector, no inlining, no debug data: half the time to build, and the
	# programs run for seconds only.
	GOGC=off go build -v -trimpath -gcflags='all=-dwarf=false -l' -ldflags="$stamps" \
		-o "$bin/.$name.$$" "$package" 2>&1 |
		while IFS= read -r line; do
			case $line in
			*[:\ ]*) echo "$line" >&2 ;; # not a package: a complaint
			*) count=$((count + 1)) ;;
			esac
			if ((SECONDS - told >= 10)); then
				told=$SECONDS
				say "  $name: $count packages compiled, $((SECONDS - begun)) s"
			fi
		done
	mv "$bin/.$name.$$" "$bin/$name"
	say "built $name in $((SECONDS - begun)) s"
}

# A kubectl of 1.30 or newer. It must run: a name on PATH may be an empty shell.
kubectl_serves() {
	local minor
	minor=$(kubectl version --client -o json 2>/dev/null |
		sed -n 's/.*"gitVersion": *"v1\.\([0-9]*\).*/\1/p' | head -n 1) || return 1
	[[ -n $minor ]] && ((minor >= 30))
}

# A helm 3.14 or newer, the first with --reset-then-reuse-values. Not helm 4.
helm_serves() {
	local minor
	minor=$(helm version --short 2>/dev/null | sed -n 's/^v3\.\([0-9]*\).*/\1/p') || return 1
	[[ -n $minor ]] && ((minor >= 14))
}

cache=${KGW_DOCTOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kgw-doctor}
bin=$cache/$(fingerprint)
mkdir -p "$bin"

# Unstamped, the API server calls itself v0.0.0 and clients misbehave.
kubernetes=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' go.mod)
helm=$(awk '$1 == "helm.sh/helm/v3" { print $2; exit }' go.mod)
IFS=. read -r major minor _ <<<"${kubernetes#v}"
stamps="-s -w"
for pair in \
	k8s.io/component-base/version.gitVersion="$kubernetes" \
	k8s.io/component-base/version.gitMajor="$major" \
	k8s.io/component-base/version.gitMinor="$minor" \
	k8s.io/component-base/version.gitTreeState=clean \
	k8s.io/client-go/pkg/version.gitVersion="$kubernetes" \
	helm.sh/helm/v3/internal/version.version="$helm" \
	helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor="$major" \
	helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor="$minor"; do
	stamps+=" -X $pair"
done

build controlplane ./cmd/controlplane
if [[ -n ${FORCE:-} ]] || ! kubectl_serves; then build kubectl k8s.io/kubernetes/cmd/kubectl; fi
if [[ -n ${FORCE:-} ]] || ! helm_serves; then build helm helm.sh/helm/v3/cmd/helm; fi
echo "$bin"
