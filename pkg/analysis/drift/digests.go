package drift

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// RunImage is what Pods of one template run for one image that they ask for.
type RunImage struct {
	Field   string // of the image, as in the workload
	Asked   string // the image as the Pods' own spec has it
	Digest  string // that was asked for; empty: a tag
	Policy  string // imagePullPolicy
	Running []Digest
	Since   string // when the first Pod began that runs another one than the oldest Pod, RFC 3339; empty: not known
	Sure    bool   // it cannot be that nodes of different architectures run different images of one list
}

// Digest is what some of the Pods run.
type Digest struct {
	Digest string // sha256:…
	Pods   []string
	Arch   string // of their nodes; empty: not known, or several
	nodes  []string
	first  string // when the oldest of the Pods was made
}

// Count counts the Pods that run something of the repository, and those that run the digest that was asked for.
func (i RunImage) Count() (total, matching int) {
	for _, d := range i.Running {
		total += len(d.Pods)
		if d.Digest == i.Digest {
			matching += len(d.Pods)
		}
	}
	return total, matching
}

// repoDigest takes an imageID of a container's status apart: docker-pullable://registry/repository@sha256:…
var repoDigest = regexp.MustCompile(`^(?:[a-z-]+://)?([^@\s]+)@(sha256:[0-9a-f]{64})$`)

// Images lists what the Pods of the template in charge run otherwise than was asked: several digests of one tag, or
// another digest than the one that was asked for. Only digests of one repository are compared, since the IDs that some
// runtimes give are none of a registry; and digests that are each of another architecture are as they should be.
func Images(w *Workload) []RunImage {
	var out []RunImage
	for _, i := range w.images() {
		others := slices.ContainsFunc(i.Running, func(d Digest) bool { return d.Digest != i.Digest })
		if (i.Digest == "" && len(i.Running) > 1 || i.Digest != "" && others) && !i.architectures() {
			i.Sure, i.Since = i.sure(), i.since()
			out = append(out, i)
		}
	}
	return out
}

// images groups the digests that run by container and image asked for.
func (w *Workload) images() []RunImage {
	var out []RunImage
	if w == nil {
		return nil
	}
	for _, p := range w.Current {
		for _, list := range []string{"initContainers", "containers"} {
			containers, _, _ := unstructured.NestedSlice(p.Object, "spec", list)
			states, _, _ := unstructured.NestedSlice(p.Object, "status", strings.TrimSuffix(list, "s")+"Statuses")
			for _, c := range containers {
				out = w.runs(out, p, list, c, states)
			}
		}
	}
	slices.SortFunc(out, func(a, b RunImage) int {
		return cmp.Or(strings.Compare(a.Field, b.Field), strings.Compare(a.Asked, b.Asked))
	})
	return out
}

// runs adds what one container of one Pod runs.
func (w *Workload) runs(out []RunImage, p *unstructured.Unstructured, list string, container any, states []any) []RunImage {
	c, _ := container.(map[string]any)
	name, _ := c["name"].(string)
	asked, _ := c["image"].(string)
	policy, _ := c["imagePullPolicy"].(string)
	repository, digest := splitImage(asked)
	running := ""
	for _, s := range states {
		if m, _ := s.(map[string]any); m["name"] == any(name) {
			id, _ := m["imageID"].(string)
			if parts := repoDigest.FindStringSubmatch(id); len(parts) == 3 && sameRepository(parts[1], repository) {
				running = parts[2]
			}
		}
	}
	if running == "" {
		return out
	}
	field := "spec.template.spec." + list + "[" + name + "].image"
	i := slices.IndexFunc(out, func(r RunImage) bool { return r.Field == field && r.Asked == asked })
	if i < 0 {
		i, out = len(out), append(out, RunImage{Field: field, Asked: asked, Digest: digest, Policy: policy})
	}
	out[i].Running = w.ran(out[i].Running, running, p)
	return out
}

func (w *Workload) ran(all []Digest, digest string, p *unstructured.Unstructured) []Digest {
	node, _, _ := unstructured.NestedString(p.Object, "spec", "nodeName")
	i := slices.IndexFunc(all, func(d Digest) bool { return d.Digest == digest })
	if i < 0 {
		i, all = len(all), append(all, Digest{Digest: digest, Arch: w.arch(node)})
	}
	d := &all[i]
	d.Pods, d.nodes = append(d.Pods, p.GetName()), append(d.nodes, node)
	if at := made(p); d.first == "" || at < d.first {
		d.first = at
	}
	if d.Arch != w.arch(node) {
		d.Arch = ""
	}
	slices.SortStableFunc(all, func(a, b Digest) int { return cmp.Compare(len(b.Pods), len(a.Pods)) })
	return all
}

func (w *Workload) arch(node string) string {
	if n := w.snap.Get("Node.", "", node); n != nil {
		return n.GetLabels()["kubernetes.io/arch"]
	}
	return ""
}

// sure says whether two of the digests run on one node, or on nodes of one architecture.
func (i RunImage) sure() bool {
	for a, x := range i.Running {
		for _, y := range i.Running[:a] {
			if x.Arch != "" && x.Arch == y.Arch || slices.ContainsFunc(x.nodes, func(n string) bool { return n != "" && slices.Contains(y.nodes, n) }) {
				return true
			}
		}
	}
	return false
}

// since is when the digests began to differ: when the second of them was first run. A digest that was asked for is
// missed from the beginning.
func (i RunImage) since() string {
	var begun []string
	for _, d := range i.Running {
		if d.Digest != i.Digest {
			begun = append(begun, d.first)
		}
	}
	slices.Sort(begun)
	if i.Digest == "" && len(begun) > 1 {
		return begun[1]
	}
	return begun[0]
}

// architectures says whether the digests are each of another architecture, which is as it should be.
func (i RunImage) architectures() bool {
	if len(i.Running) < 2 {
		return false
	}
	seen := map[string]bool{}
	for _, d := range i.Running {
		if d.Arch == "" || seen[d.Arch] {
			return false
		}
		seen[d.Arch] = true
	}
	return true
}

// unlikeNodes are the nodes of Pods that run different digests of one tag.
func (w *Workload) unlikeNodes() []string {
	var out []string
	for _, i := range Images(w) {
		for _, d := range i.Running {
			if len(i.Running) > 1 {
				out = append(out, d.nodes...)
			}
		}
	}
	return slices.DeleteFunc(out, func(n string) bool { return n == "" })
}

// splitImage takes the tag off an image, and the digest.
func splitImage(image string) (repository, digest string) {
	repository, digest, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(repository, ':'); i > strings.LastIndexByte(repository, '/') {
		repository = repository[:i]
	}
	return repository, digest
}

// sameRepository compares repositories as a runtime completes them: nginx is docker.io/library/nginx.
func sameRepository(a, b string) bool {
	full := func(r string) string {
		first, _, deep := strings.Cut(r, "/")
		switch {
		case !deep:
			return "docker.io/library/" + r
		case !strings.ContainsAny(first, ".:") && first != "localhost":
			return "docker.io/" + r
		}
		return strings.Replace(r, "index.docker.io/", "docker.io/", 1)
	}
	return full(a) == full(b)
}
