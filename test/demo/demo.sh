#!/usr/bin/env bash
# The plugin at work: brings up a real control plane, installs a chart with a
# value that does nothing, lets the doctor find it, runs the fix it prints, and
# lets it look again. Exits non-zero if the defect was not found or not cured.
# A CHART whose template lets the value through has no defect to find: the
# doctor must then agree with the pods.
#
# Needs Go and git. The first run builds a control plane, which takes minutes.
# Environment:
#   CHART   a chart to install instead of test/charts/kgateway
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
chart=${CHART:-$root/test/charts/kgateway}

heading() { printf '\n== %s\n\n' "$*"; }
run() {
	printf '$ %s\n' "$*"
	"$@"
}
fail() {
	printf '\ndemo: %s\n' "$*" >&2
	exit 1
}

policies=(kubectl --namespace kgateway-system get pods -l app.kubernetes.io/instance=kgateway
	-o 'custom-columns=POD:.metadata.name,STATUS:.status.phase,PULLPOLICY:.spec.containers[0].imagePullPolicy')
always() { "${policies[@]}" --no-headers | grep -qw Always; }

# doctor STATUS: runs the doctor and requires its exit status.
doctor() {
	local want=$1 got=0
	run kubectl kgw-doctor --namespace kgateway-system || got=$?
	printf '\nexit status %s\n' "$got"
	[[ $got == "$want" ]] || fail "exit status $got, expected $want"
}

# printed_fix: the first command of the report, with the chart we installed in
# the place of the public one's address.
printed_fix() {
	kubectl kgw-doctor --namespace kgateway-system -o json |
		sed -nE 's/^ *"command": "(.*)",?$/\1/p' | head -n 1 |
		sed -E -e 's/\\"/"/g' -e 's/\\\\/\\/g' -e 's/ --version [^ ]*//' \
			-e "s#^(helm upgrade [^ ]*) ('[^']*'|[^ ]*)#\1 '$chart'#"
}

scenes() {
	heading "Somebody asks for pullPolicy Always, and Helm says: deployed"
	run helm install kgateway "$chart" --namespace kgateway-system --create-namespace \
		--set image.pullPolicy=Always --wait --timeout 90s
	run kubectl --namespace kgateway-system rollout status deployment/kgateway --timeout=60s

	if always; then
		heading "The pods say so, too: this chart does not have the defect"
		run "${policies[@]}"
		heading "The doctor agrees"
		doctor 0
		heading "Nothing to cure. Without CHART the demo installs a chart that has the defect"
		return
	fi
	heading "The pods say something else"
	run "${policies[@]}"

	heading "The doctor knows why"
	doctor 1

	heading "The fix it prints, run for real (with the local chart)"
	local fix
	fix=$(printed_fix) || true
	[[ $fix == "helm upgrade "* ]] || fail "the report holds no fix to run"
	printf '$ %s\n' "$fix"
	sh -c "$fix"
	run kubectl --namespace kgateway-system rollout status deployment/kgateway --timeout=60s

	heading "Now the pods have what was asked for"
	run "${policies[@]}"
	always || fail "the fix did not reach the pods"

	heading "The doctor looks again"
	doctor 0
	heading "Found and cured"
}

if [[ ${1:-} == scenes ]]; then
	scenes
	exit
fi

heading "Building the control plane (once) and the plugin"
tools=$("$root/test/controlplane/build.sh")
work=$(mktemp -d "${TMPDIR:-/tmp}/kgw-doctor-demo.XXXXXX")
trap 'rm -rf "$work"' EXIT
# kubectl finds `kgw-doctor` under this name: dashes become underscores.
(cd "$root" && go build -o "$work/bin/kubectl-kgw_doctor" ./cmd/kubectl-kgw-doctor)

heading "Bringing up etcd, kube-apiserver, controllers, scheduler and two nodes"
export HELM_CACHE_HOME=$work/helm HELM_CONFIG_HOME=$work/helm HELM_DATA_HOME=$work/helm
PATH="$work/bin:$tools:$PATH" CHART=$chart \
	"$tools/controlplane" up --dir "$work/controlplane" --exec -- "${BASH_SOURCE[0]}" scenes
