package printer

import (
	"fmt"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
)

// proposed stands for a fix.Verified, which only fix.Prove can make.
type proposed struct {
	flags, leftOver []string
	command         string
	changes         []fix.Change
	gitops          *fix.GitOps
}

func (p proposed) Summary() string       { return "" }
func (p proposed) Flags() []string       { return p.flags }
func (p proposed) Command() string       { return p.command }
func (p proposed) Changes() []fix.Change { return p.changes }
func (p proposed) LeftOver() []string    { return p.leftOver }
func (p proposed) GitOps() *fix.GitOps   { return p.gitops }

func change(object, field string, from, to any, intended bool) fix.Change {
	return fix.Change{
		Field: finding.Field{Object: finding.Object{Kind: object, Name: "kgateway"}, Field: field},
		From:  from, To: to, Intended: intended,
	}
}

func TestFixes(t *testing.T) {
	t.Parallel()
	const upgrade = "helm upgrade kgateway oci://cr.kgateway.dev/kgateway-dev/charts/kgateway --version v2.0.0-rc.1 --namespace kgateway-system --reuse-values "
	one := proposed{
		flags:   []string{"--set", "controller.image.pullPolicy=Always"},
		command: upgrade + "--set controller.image.pullPolicy=Always",
		changes: []fix.Change{change("Deployment", "spec.template.spec.containers[kgateway].imagePullPolicy", "IfNotPresent", "Always", true)},
	}
	side := proposed{
		flags:   []string{"--set", "replicaCount=3", "--set", "controller.replicaCount=null"},
		command: upgrade + "--set replicaCount=3 --set controller.replicaCount=null",
		changes: []fix.Change{
			change("Deployment", "spec.replicas", nil, 3, true),
			change("GatewayParameters", "spec.kube.deployment.replicas", nil, 3, false),
		},
		leftOver: []string{"controller.replicas"},
	}
	var many proposed
	many.flags = []string{"--set-string", "podAnnotations.note=it's here"}
	for i := range 9 {
		many.changes = append(many.changes, change("Deployment", fmt.Sprintf("spec.a[%d]", i), "a", "b", true))
	}
	for i := range 9 {
		many.changes = append(many.changes, change("Service", fmt.Sprintf("spec.b[%d]", i), "a", "b", false))
	}
	for _, width := range []int{60, 120} {
		p := newPage(fix.Report{}, TextOptions{Width: width})
		for _, x := range []proposed{one, side, many} {
			p.fix(labelWidth, 0, x)
			p.blank()
		}
		p.fix(labelWidth, 1, one)
		checkGolden(t, fmt.Sprintf("fixes-%d.txt", width), p.String())
	}
}

func TestChangesNotAskedForAreNeverCutAway(t *testing.T) {
	t.Parallel()
	var changes []fix.Change
	for range 30 {
		changes = append(changes, change("Deployment", "spec.a", 1, 2, true))
	}
	changes = append(changes, change("Service", "spec.b", 1, 2, false))
	shown := choose(changes)
	if len(shown) != shownChanges || unintended(shown) != 1 {
		t.Errorf("%d are shown, %d of them not asked for", len(shown), unintended(shown))
	}
}
