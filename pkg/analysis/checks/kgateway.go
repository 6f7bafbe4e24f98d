package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/kgateway"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// kgatewayChecks know kgateway: what its controllers read, and what they make of a Gateway.
func kgatewayChecks() []*analysis.Check {
	return []*analysis.Check{Idle, UnreadEnv, EnvTwice, MovedAway, OtherClass, NoImage, Parameters, ProxyDiffers, NotForProxies, GivesWay, Skew, ClassDropped, NoProxy, NoController, LeftAlone, Outdone, ScaledAway}
}

// chartOf names a chart of kgateway's; both are empty for another one, and for an audit, which has no install.
func chartOf(f *analysis.Facts) (name, version string) {
	if f.Mode == analysis.Audit || f.Chart == nil || f.Chart.Metadata == nil {
		return "", ""
	}
	switch name = f.Chart.Metadata.Name; name {
	case "kgateway", "agentgateway", "kgateway-crds", "agentgateway-crds":
		return name, f.Chart.Metadata.Version
	}
	return "", ""
}

// controller is the controller's container as the release renders it now; nil if the chart is none with a controller.
func controller(f *analysis.Facts) *kgateway.Container {
	chart, _ := chartOf(f)
	if f.World == nil || kgateway.Controller(chart) == "" {
		return nil
	}
	return kgateway.ControllerIn(f.World.Baseline().Objects())
}

// carries says whether a field is one of an environment variable.
func carries(c rendering.Change, name string) bool {
	return strings.Contains(c.Field.Field, ".env["+name+"]")
}

// Idle tells of values that render and do nothing at run time.
var Idle = &analysis.Check{
	Code: "KGW4001",
	Name: "renders and does nothing",
	Doc: analysis.Doc{
		Title: "the value is rendered, and the controller does not obey it",
		Text: `Helm, the manifest and the live object all show the value, and the program that it is for takes no notice: the chart
hands it over under a name that the controller does not read, or the controller has another value built in. No
rendering can tell; the doctor knows it of the versions that it was found in, and the finding gives the evidence.

An error; a warning where nothing breaks.`,
		Before: "--set controller.xds.tls.enabled=true          # renders KGW_XDS_TLS_ENABLED, the controller reads KGW_XDS_TLS",
		After:  `--set-string controller.extraEnv.KGW_XDS_TLS=true`,
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		if f.World == nil {
			return nil, nil
		}
		var out []finding.Finding
		for _, known := range kgateway.Facts(chartOf(f)) {
			for _, e := range f.Effects {
				if e.Path.String() == known.Path && idle(f, e, known) {
					out = append(out, idleFinding(f, e, known))
				}
			}
		}
		return out, nil
	},
}

// idle says whether a known fact holds of a supplied value here and now.
func idle(f *analysis.Facts, e causality.Effect, known kgateway.Fact) bool {
	if len(e.Removed) == 0 || known.Only != nil && rendering.Equal(e.Value, known.Only) {
		return false
	}
	reaches := func(name string) bool {
		return slices.ContainsFunc(e.Removed, func(c rendering.Change) bool { return carries(c, name) })
	}
	if known.Env != "" && !reaches(known.Env) || known.Unless != "" && reaches(known.Unless) {
		return false
	}
	right, err := values.Parse(known.Right)
	if err != nil {
		return false
	}
	// The right way may be taken as well.
	is, found := values.Get(f.World.Computed(), right)
	return !found || fmt.Sprint(is) != fmt.Sprint(known.RightValue)
}

func idleFinding(f *analysis.Facts, e causality.Effect, known kgateway.Fact) finding.Finding {
	c := e.Removed[0]
	for _, x := range e.Removed {
		if known.Env != "" && carries(x, known.Env) || known.Env == "" && strings.Contains(x.Field.Field, "containers[") {
			c = x
			break
		}
	}
	chart, version := chartOf(f)
	o := c.Object
	x := finding.Finding{
		ValuePath: e.Path.String(), Severity: finding.Error, Object: &o, Field: c.Field.Field, Evidence: e.Evidence,
		Message: fmt.Sprintf("%s is rendered, and %s", show(e.Path, e.Value), known.Because),
		Facts: []finding.Fact{
			{Label: "field", Text: o.String() + " " + c.Field.Field}, asked(f, e),
			{Label: "known", Text: fmt.Sprintf("of %s %s: %s", chart, version, known.Source)},
		},
	}
	if known.Warning {
		x.Severity = finding.Warning
	}
	right, _ := values.Parse(known.Right) // idle has parsed it
	remedy := finding.Remedy{Summary: "set " + known.Right, Edits: []values.Edit{values.Set(right, known.RightValue)}}
	if name, isEnv := strings.CutPrefix(known.Right, "controller.extraEnv."); isEnv {
		if c := controller(f); c != nil {
			remedy.Meant = []finding.Field{c.Field(name)}
			if after := f.World.Try(remedy.Edits...); after.Err == nil {
				remedy.Meant = carrying(rendering.Diff(f.World.Baseline(), after), []causality.Effect{{Value: known.RightValue}})
			}
		}
	}
	x.Remedies = []finding.Remedy{remedy}
	return x
}

// UnreadEnv tells of variables given to the controller that it does not read.
var UnreadEnv = &analysis.Check{
	Code: "KGW4002",
	Name: "unread variable",
	Doc: analysis.Doc{
		Title: "this version of the controller does not read the environment variable",
		Text: `The controllers read their settings from variables that begin with KGW_ (kgateway) or AGW_ (agentgateway), and
silently pass over names that they do not know. The variable shows in the manifest and in the Pods all the same.

The version is that of the image's tag. A name counts as read if any patch release of that minor version reads it;
nothing is said of versions and pre-releases that the doctor does not know.

An error if a name that is read resembles it, or another version or the other controller reads it, otherwise a warning.`,
		Before: "--set-string controller.extraEnv.KGW_ENABLE_GATEWAY_API_EXPERIMENTAL_FEATURES=true",
		After:  "--set-string controller.extraEnv.KGW_ENABLE_EXPERIMENTAL_GATEWAY_API_FEATURES=true",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		c := controller(f)
		if c == nil {
			return nil, nil
		}
		chart, _ := chartOf(f)
		read := kgateway.Variables(chart, kgateway.Tag(c.Image))
		var out []finding.Finding
		done := map[string]bool{}
		for _, e := range f.Effects {
			name := extraEnv(e.Path)
			if len(read) == 0 || len(e.Removed) == 0 || done[name] || !kgateway.IsSetting(name) || slices.Contains(read, name) {
				continue
			}
			done[name] = true
			out = append(out, unreadEnv(f, e, c, name, read))
		}
		return out, nil
	},
}

// extraEnv is the name of the variable that a value sets; "" if it sets none.
func extraEnv(p values.Path) string {
	if len(p) < 3 || !p.HasPrefix(values.Keys("controller", "extraEnv")) {
		return ""
	}
	return p[2].Key
}

func unreadEnv(f *analysis.Facts, e causality.Effect, c *kgateway.Container, name string, read []string) finding.Finding {
	version := kgateway.Tag(c.Image)
	field := c.Field(name)
	x := finding.Finding{
		ValuePath: e.Path.String(), Severity: finding.Warning, Object: &field.Object, Field: field.Field, Evidence: e.Evidence,
		Message: fmt.Sprintf("%s does not read %s", c.Image, name),
		Facts:   []finding.Fact{{Label: "field", Text: c.Object.String() + " " + field.Field}, asked(f, e)},
	}
	if where := kgateway.Elsewhere(name); where != "" {
		x.Severity = finding.Error
		x.Facts = append(x.Facts, finding.Fact{Label: "known", Text: "it is read by versions " + where + ", this is " + version})
	}
	near := kgateway.Nearest(name, read)
	if near == "" {
		x.Facts = append(x.Facts, finding.Fact{Label: "because", Text: fmt.Sprintf("it is none of the %d settings of that version, and none is like it", len(read))})
		return x
	}
	x.Severity = finding.Error
	x.Facts = append(x.Facts, finding.Fact{Label: "meant?", Text: near})
	if len(e.Path) == 3 {
		to := values.Keys("controller", "extraEnv", near)
		if _, given := values.Get(f.World.Computed(), to); !given {
			x.Remedies = []finding.Remedy{rename(f, e, to)}
		}
	}
	return x
}

// rename sets the value under another key and takes the old one out.
func rename(f *analysis.Facts, e causality.Effect, to values.Path) finding.Remedy {
	edits := []values.Edit{values.Set(to, e.Value), values.Set(e.Path, nil)}
	remedy := finding.Remedy{Summary: "set " + to.String() + " instead", Edits: edits}
	if after := f.World.Try(edits...); after.Err == nil {
		for _, c := range rendering.Diff(f.World.Baseline(), after) {
			if carries(c, to.Last()) {
				remedy.Meant = append(remedy.Meant, c.Field)
			}
		}
	}
	return remedy
}

// EnvTwice tells of values that set a variable which comes again later in the same container.
var EnvTwice = &analysis.Check{
	Code: "KGW4003",
	Name: "variable set twice",
	Doc: analysis.Doc{
		Title: "a later entry of the same name overrides the environment variable",
		Text: `The container's env holds the name twice with different values. Kubernetes takes the last, so the value given does
nothing, although the manifest shows it. Charts that write settings of their own before or after controller.extraEnv
do so.`,
		Before: "--set-string controller.extraEnv.KGW_ENABLE_AGENTGATEWAY=true   # kgateway 2.2.0 writes it again, false",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		if c := controller(f); c != nil {
			return twice(f, c), nil
		}
		return nil, nil
	},
}

// MovedAway tells of unread values whose right place is another object, or a value of quite another name.
var MovedAway = &analysis.Check{
	Code: "KGW4004",
	Name: "said elsewhere",
	Doc: analysis.Doc{
		Title: "in this version that is said in another place",
		Text: `KGW1004 says that nothing reads the value. This adds what only the project's history tells: where the same thing is
said in this version, an object to apply or another value. Where it is an object it is printed whole.

Information: the error is KGW1004.`,
		Before: "--set gateway.aiExtension.enabled=true   # kgateway 2.0 and 2.1 read no gateway values",
		After:  "kubectl apply -f parameters.yaml         # GatewayParameters, spec.kube.aiExtension.enabled: true",
		Since:  "0.1.0", Severity: finding.Info,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		chart, version := chartOf(f)
		var out []finding.Finding
		done := map[*kgateway.Moved]bool{}
		for _, e := range f.Effects {
			m := kgateway.MovedOf(chart, version, e.Path.String())
			if e.Verdict != finding.Unread || m == nil || done[m] {
				continue
			}
			done[m] = true
			out = append(out, movedAway(f, e, *m))
		}
		return out, nil
	},
}

func movedAway(f *analysis.Facts, e causality.Effect, m kgateway.Moved) finding.Finding {
	x := finding.Finding{
		ValuePath: e.Path.String(), Severity: finding.Info,
		Message: fmt.Sprintf("%s belongs in %s", show(e.Path, e.Value), m.Where),
		Facts:   []finding.Fact{asked(f, e), {Label: "since", Text: m.Since}, {Label: "known", Text: m.Source}},
	}
	if spec := m.Spec(e.Value); spec != nil {
		x.Steps = []string{apply(parametersObject(kgateway.Envoy, "parameters", "default", spec))}
	}
	if right, err := values.Parse(m.Right); err == nil && m.Right != "" && f.World != nil {
		set := values.Set(right, fmt.Sprint(e.Value))
		x.Remedies = []finding.Remedy{{Summary: "set " + m.Right, Edits: append([]values.Edit{set}, cleared(f, []causality.Effect{e})...)}}
	}
	return x
}

// OtherClass tells of parameters given to a GatewayClass that is not the controller's to manage.
var OtherClass = &analysis.Check{
	Code: "KGW4005",
	Name: "other class",
	Doc: analysis.Doc{
		Title: "gatewayClassParametersRefs names a class that the controller does not manage",
		Text: `gatewayClassParametersRefs gives parameters to the classes that the controller makes itself: kgateway and
kgateway-waypoint, or agentgateway. A key that names another class is handed over and silently passed by. A
GatewayClass of one's own has a parametersRef of its own.`,
		Before: "--set gatewayClassParametersRefs.kgatway.name=small,gatewayClassParametersRefs.kgatway.namespace=shop",
		After:  "--set gatewayClassParametersRefs.kgateway.name=small,gatewayClassParametersRefs.kgateway.namespace=shop",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		c := controller(f)
		managed := kgateway.Classes(chartOf(f))
		if c == nil || len(managed) == 0 || c.Last("AGW_AGENTGATEWAY_CLASS_NAME") >= 0 {
			return nil, nil
		}
		refs := values.Keys("gatewayClassParametersRefs")
		// Taking half of a reference away fails the chart, so effects do not show what is handed over.
		handed := c.Value("KGW_GATEWAY_CLASS_PARAMETERS_REFS") + c.Value("AGW_GATEWAY_CLASS_PARAMETERS_REFS")
		var out []finding.Finding
		done := map[string]bool{}
		for _, e := range f.Effects {
			if len(e.Path) < 2 || !e.Path.HasPrefix(refs) || !strings.Contains(handed, `"`+e.Path[1].Key+`"`) || done[e.Path[1].Key] || slices.Contains(managed, e.Path[1].Key) {
				continue
			}
			class := e.Path[1].Key
			done[class] = true
			out = append(out, finding.Finding{
				ValuePath: refs.Key(class).String(), Severity: finding.Error, Evidence: e.Evidence,
				Message: fmt.Sprintf("the controller does not manage GatewayClass/%s: it passes by what %s gives it", class, refs.Key(class)),
				Facts:   []finding.Fact{asked(f, e), {Label: "manages", Text: strings.Join(managed, ", ")}},
				Steps:   []string{kubectl("edit", finding.Object{Kind: "GatewayClass", Name: class}) + "   # spec.parametersRef"},
			})
		}
		return out, nil
	},
}

// NoImage tells of an image tag that no registry can have.
var NoImage = &analysis.Check{
	Code: "KGW4006",
	Name: "tag with a plus sign",
	Doc: analysis.Doc{
		Title: "the image's tag holds a plus sign, which no image can",
		Text: `The tag defaults to the chart's version. Tools that add a digest to it, as Flux does with a chart that it has pinned,
make 2.1.1+0123456789ab of it, and the Pods end in InvalidImageName.`,
		Before: "version: 2.1.1+0123456789ab   # in Chart.yaml, and no image.tag",
		After:  "--set image.tag=v2.1.1",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		c := controller(f)
		if c == nil || !strings.Contains(kgateway.Tag(c.Image), "+") {
			return nil, nil
		}
		field := finding.Field{Object: c.Object, Field: "spec.template.spec.containers[" + c.Name + "].image"}
		version, _, _ := strings.Cut(kgateway.Tag(c.Image), "+")
		if !strings.HasPrefix(version, "v") {
			version = "v" + version // as the images of every release are tagged
		}
		return []finding.Finding{{
			Severity: finding.Error, Object: &field.Object, Field: field.Field, Actual: c.Image,
			Message: fmt.Sprintf("%s is no image: a tag holds no plus sign", c.Image),
			Facts:   []finding.Fact{{Label: "field", Text: field.Object.String() + " " + field.Field}, {Label: "known", Text: "the tag defaults to the chart's version"}},
			Remedies: []finding.Remedy{{
				Summary: "name the tag", Meant: []finding.Field{field},
				Edits: []values.Edit{values.Set(values.Keys("image", "tag"), version)},
			}},
		}}, nil
	},
}
