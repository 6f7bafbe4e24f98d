package printer

import (
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
)

// kept writes where a fix goes in the object that keeps the release, and what stands there then.
func (p *page) kept(width int, label string, g *fix.GitOps, changes []fix.Change) {
	if lines := fragment(g); len(lines) > 0 {
		p.labelled(width, label, p.clean(fmt.Sprintf("%s of %s %s/%s:", g.Path, g.Kind, g.Namespace, g.Name)))
		label = ""
		for _, line := range lines {
			p.line(strings.Repeat(" ", width+6) + p.clean(line))
		}
	}
	if len(g.Removed) > 0 {
		p.labelled(width, label, p.clean(fmt.Sprintf("take %s out of %s %s/%s", strings.Join(g.Removed, ", "), g.Kind, g.Namespace, g.Name)))
		label = ""
	}
	proved := proof(changes)
	if p.broken {
		proved = "verified: with it the chart renders"
	}
	p.labelled(width, label, proved)
}

// fragment is what is put at the path, as YAML lines.
func fragment(g *fix.GitOps) []string {
	var tree any = g.Values
	if len(g.Parameters) > 0 {
		tree = g.Parameters
	} else if len(g.Values) == 0 {
		return nil
	}
	text, err := yaml.Marshal(tree)
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n")
}

// keptCommands writes what can be pasted and what else must be known; of all fixes the same is said once.
func (p *page) keptCommands(width, position int, g *fix.GitOps) {
	for _, c := range g.Commands {
		p.command(width, "", c)
	}
	for _, note := range g.Steps {
		p.labelled(width, "", p.clean(note))
	}
	for _, note := range g.Notes {
		if position == 0 {
			p.labelled(width, "", p.clean(note))
		}
	}
}
