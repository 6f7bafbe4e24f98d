package causality

import (
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// byHelmsRules proposes what wins by Helm's own rules, before any template: a global of a chart above over one that is
// given below a subchart's name, and a dependency's condition over its tags.
// Source: helm.sh/helm/v3@v3.22.0 pkg/chartutil/coalesce.go, coalesceGlobals, and dependencies.go.
func (t *trial) byHelmsRules() []*confirmed {
	read := &chart.Read{Site: t.e.Site, Stack: t.e.Stack}
	for _, p := range append(t.globalsAbove(), t.world.ConditionsOver(t.e.Path)...) {
		if c, err := t.confirm(proposal{[]obstacle{{edit: values.Set(p, nil), winner: true}}, read}); err == nil && c != nil {
			return []*confirmed{c}
		}
	}
	return nil
}

// globalsAbove lists the same global of the charts above, the outermost first.
func (t *trial) globalsAbove() []values.Path {
	var out []values.Path
	p := t.e.Path
	for i, s := range p {
		if i == 0 || s.Key != "global" || s.Index >= 0 {
			continue
		}
		for above := range i {
			q := p[:above].Join(p[i:])
			if at, found := values.Get(t.world.Computed(), q); found && at != nil {
				out = append(out, q)
			}
		}
		break
	}
	return out
}
