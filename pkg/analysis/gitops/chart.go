package gitops

import (
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Source is where an Application's chart comes from.
type Source struct {
	RepoURL     string // https://… or oci://… of a chart repository, or of a Git repository
	Chart       string // "" if it stands in Git
	Path        string // in Git
	Revision    string // the chart's version, or of Git
	Namespace   string // to render for, if another than the destination's
	KubeVersion string // to render for; "": the cluster's
	APIVersions []string
}

// Name is the chart's name or, of one in Git, what its directory is called.
func (s Source) Name() string {
	if s.Chart != "" {
		return path.Base(s.Chart)
	}
	return path.Base(s.Path)
}

// Get is the command that fetches the chart, words; nil if Git has it.
func (s Source) Get() []string {
	if s.Chart == "" {
		return nil
	}
	out := []string{"helm", "pull"}
	if strings.HasPrefix(s.RepoURL, "http://") || strings.HasPrefix(s.RepoURL, "https://") {
		out = append(out, s.Chart, "--repo", s.RepoURL)
	} else { // Argo CD writes a registry without oci://
		out = append(out, "oci://"+strings.TrimPrefix(strings.TrimSuffix(s.RepoURL, "/"), "oci://")+"/"+s.Chart)
	}
	if s.Revision != "" {
		out = append(out, "--version", s.Revision)
	}
	return out
}

// Source reads the chart's source; the options of helm.kubeVersion and the like are those that helm template gets.
func (o *Owner) Source() Source {
	spec, _, _ := unstructured.NestedMap(o.content.Object, "spec")
	source, _ := chartSource(spec, true)
	helm, _ := source["helm"].(map[string]any)
	text := func(in map[string]any, key string) string { s, _ := in[key].(string); return s }
	out := Source{RepoURL: text(source, "repoURL"), Chart: text(source, "chart"), Path: text(source, "path"), Revision: text(source, "targetRevision"),
		Namespace: text(helm, "namespace"), KubeVersion: text(helm, "kubeVersion")}
	versions, _ := helm["apiVersions"].([]any)
	for _, v := range versions {
		if s, isText := v.(string); isText {
			out.APIVersions = append(out.APIVersions, s)
		}
	}
	return out
}

// Objects lists the objects that Argo CD compared with the cluster; nil if the status does not say.
func (o *Owner) Objects() []AppliedObject {
	if !o.Read() {
		return nil
	}
	return Applied(o.content)
}
