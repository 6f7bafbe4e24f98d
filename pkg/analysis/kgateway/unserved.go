package kgateway

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// Unserved is a GatewayClass that no controller serves, with the Gateways that ask for it.
type Unserved struct {
	Class      string
	Controller string // that it names; "" if there is no such class
	Gateways   []*unstructured.Unstructured
	Left       []finding.Object // proxies that a controller of ours has made for them, and does not update any more
}

// Unserveds lists the classes of Gateways that nobody serves, as far as that is sure: those that do not exist, those that
// name a controller of ours that does not run, and those of another controller whose Gateways still have a proxy of ours.
//
// Served are the controllers that run.
func Unserveds(snap *snapshot.Snapshot, served []string) []Unserved {
	if !classesRead(snap) {
		return nil
	}
	proxies := owned(snap)
	var out []Unserved
	at := map[string]int{}
	for _, g := range snap.Kind("Gateway") {
		name, _, _ := unstructured.NestedString(g.Object, "spec", "gatewayClassName")
		if g.GroupVersionKind().Group != "gateway.networking.k8s.io" || name == "" {
			continue
		}
		u := Unserved{Class: name}
		if class := snap.Get("GatewayClass", "", name); class != nil {
			u.Controller = controllerOf(class)
		}
		left := proxies[ownedBy("Deployment", g.GetNamespace(), g.GetName(), string(g.GetUID()))]
		mine := left != nil && madeByUs(left)
		if slices.Contains(served, u.Controller) || u.Controller != "" && !ours(u.Controller) && !mine {
			continue
		}
		i, found := at[name]
		if !found {
			i = len(out)
			at[name], out = i, append(out, u)
		}
		out[i].Gateways = append(out[i].Gateways, g)
		if mine {
			out[i].Left = append(out[i].Left, finding.Object{Kind: "Deployment", Namespace: left.GetNamespace(), Name: left.GetName()})
		}
	}
	return out
}

// madeByUs says whether a controller of ours made a proxy. Source: the labels of proxies of kgateway 2.0 to 2.4 and of
// agentgateway 1.0 to 1.4, and the managers that own their fields.
func madeByUs(proxy *unstructured.Unstructured) bool {
	labels := proxy.GetLabels()
	return labels["kgateway"] == "kube-gateway" || labels["app.kubernetes.io/managed-by"] == "kgateway" ||
		labels["app.kubernetes.io/managed-by"] == "agentgateway"
}

// classesRead says whether the snapshot would hold a class if it were there: one made with kubectl has to hold some.
func classesRead(snap *snapshot.Snapshot) bool {
	for _, gap := range snap.Header.Gaps {
		if strings.Contains(strings.ToLower(gap.What), "gatewayclass") {
			return false
		}
	}
	return len(snap.Kind("GatewayClass")) > 0
}

// Running lists the controllers of ours that run in the cluster, whichever release has them.
func Running(snap *snapshot.Snapshot) []string {
	var out []string
	for _, d := range snap.Kind("Deployment") {
		labels := d.GetLabels()
		for _, chart := range []string{"kgateway", "agentgateway"} {
			if labels[chart] == chart && len(d.GetOwnerReferences()) == 0 {
				out = append(out, Controller(chart))
				if c := containerIn(finding.Object{}, d.Object); chart == "kgateway" && c != nil && c.Value("KGW_ENABLE_AGENTGATEWAY") == "true" {
					out = append(out, FormerAgentgateway)
				}
			}
		}
	}
	return out
}
