package checks

import (
	"slices"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/kgateway"
)

// A proxy of agentgateway gets its settings from parameters of its own kind, mostly as an overlay.
func TestParametersOfAgentgateway(t *testing.T) {
	t.Parallel()
	f := shopFacts(t, "v2.1.0", map[string]any{})
	p := proxies(f)[0]
	p.Controller = kgateway.Agentgateway
	at := ofPods[slices.IndexFunc(ofPods, func(s podSetting) bool { return s.value == "nodeSelector" })].path(p)
	if at != "deployment.spec.template.spec.nodeSelector" {
		t.Errorf("got %s", at)
	}
	want := `printf %s '{"apiVersion":"agentgateway.dev/v1alpha1","kind":"AgentgatewayParameters","metadata":{"name":"plain","namespace":"shop"},"spec":{"image":{"pullPolicy":"Always"}}}' | kubectl apply --filename -`
	if got := give(p, tree("image.pullPolicy", "Always")); len(got) != 2 || got[0] != want {
		t.Errorf("got %q", got)
	}
}

// What every chart says of the controller's Pod by itself is nobody's wish.
func TestExpectedOfProxiesOnlyIfGiven(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		supplied map[string]any
		tells    []string
	}{
		{map[string]any{}, nil},
		{map[string]any{"nodeSelector": map[string]any{"disk": "ssd"}}, []string{"KGW4103 info nodeSelector.disk"}},
		{tree("controller.image.registry", "mirror.io"), []string{"KGW4103 info controller.image.registry"}},
		{tree("image.registry", "r.io"), nil},
	} {
		got, _ := analysis.Run(shopFacts(t, "v2.1.0", c.supplied), []*analysis.Check{NotForProxies})
		if is := tells(got.Findings); !slices.Equal(is, c.tells) {
			t.Errorf("%v: %q", c.supplied, is)
		}
	}
}
