package cluster

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/gitops"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// found is one release to look at.
type found struct {
	releaseKey
	records     []snapshot.Record
	deployments []metav1.PartialObjectMetadata // live ones of a release that has no record
}

// revision is one release record, by its metadata.
type revision struct {
	object   string // its name
	number   int
	status   string
	resource schema.GroupVersionResource
}

// history is the revisions of each release, oldest first.
type history map[releaseKey][]revision

// histories reads metadata. Names that are not of Helm's making are passed over.
func histories(items []metav1.PartialObjectMetadata, res schema.GroupVersionResource) history {
	h := history{}
	for _, o := range items {
		if !strings.HasPrefix(o.Name, snapshot.RecordPrefix) {
			continue
		}
		name, n := snapshot.RecordName(o.Name)
		name = cmp.Or(o.Labels["name"], name)
		if labelled, err := strconv.Atoi(o.Labels["version"]); err == nil {
			n = labelled
		}
		k := releaseKey{o.Namespace, name}
		h[k] = append(h[k], revision{o.Name, n, o.Labels["status"], res})
	}
	for _, revisions := range h {
		slices.SortFunc(revisions, func(a, b revision) int { return cmp.Compare(a.number, b.number) })
	}
	return h
}

// pick chooses what to fetch: the revision asked for, or the newest and the newest deployed one, which is what the
// cluster should run if the newest failed.
func pick(revisions []revision, number int) []revision {
	if number > 0 {
		i := slices.IndexFunc(revisions, func(r revision) bool { return r.number == number })
		if i < 0 {
			return nil
		}
		return revisions[i : i+1]
	}
	out := revisions[len(revisions)-1:]
	for _, r := range slices.Backward(revisions) {
		if r.status == "deployed" && r.number != out[0].number {
			return []revision{r, out[0]}
		}
		if r.status == "deployed" {
			break
		}
	}
	return out
}

// fewOthers is how many releases that nothing speaks for are opened to see which chart they hold.
const fewOthers = 20

// candidates are the releases whose records are fetched; certain ones are kept whatever chart they hold.
type candidates map[releaseKey]bool // the value: certain

// records is the second round trip: it fetches the records of the releases wanted and puts them into the snapshot.
func (v *visit) records(ctx context.Context) ([]found, error) {
	h := histories(v.secrets.items, secretResource)
	wanted := v.candidates(h)
	if len(wanted) == 0 || v.missesNamed(wanted) {
		// Helm can be told to keep its records in ConfigMaps.
		l := v.tryMetadata(ctx, configMapResource, v.recordSelector(), "Helm release records (ConfigMaps)")
		for _, g := range l.gaps {
			if v.secrets.err == nil { // else the gap is told: the right to what Helm uses unless it is told otherwise
				v.gap(g)
			}
		}
		for k, revisions := range histories(l.items, configMapResource) {
			if _, has := h[k]; !has {
				h[k] = revisions
			}
		}
		wanted = v.candidates(h)
	}
	releases := v.fetch(ctx, h, wanted)
	releases = v.withoutRecord(h, releases)
	return releases, v.missing(h, releases)
}

// candidates chooses by name, by what the live Deployments and definitions say of their release, and, of the rest, a
// few: a release of any name may hold a kgateway chart.
func (v *visit) candidates(h history) candidates {
	out := candidates{}
	if len(v.target.Releases) > 0 {
		for k := range h {
			if slices.Contains(v.target.Releases, k.name) {
				out[k] = true
			}
		}
		return out
	}
	others := map[releaseKey]bool{}
	for k := range h {
		if soundsLike(k.name) {
			out[k] = false
		} else {
			others[k] = true
		}
	}
	for _, k := range v.crdOwners {
		if _, has := h[k]; has {
			out[k] = true
			delete(others, k)
		}
	}
	for i := range v.deployments.items {
		o := &v.deployments.items[i]
		k := owner(o)
		delete(others, k)
		if _, has := h[k]; has && isControlPlane(o) {
			out[k] = true
		}
	}
	for _, k := range v.toOpen(h, others) {
		out[k] = false
	}
	return out
}

// toOpen chooses among the releases that nothing speaks for. Where there are many, only those that failed before
// they had a Deployment can hold a control plane, and the CRD charts are known by their definitions.
func (v *visit) toOpen(h history, others map[releaseKey]bool) []releaseKey {
	if len(others) > fewOthers {
		maps.DeleteFunc(others, func(k releaseKey, _ bool) bool {
			return v.deployments.err == nil && h[k][len(h[k])-1].status == "deployed"
		})
	}
	if len(others) > fewOthers {
		v.gap(snapshot.Gap{What: fmt.Sprintf("charts of %d releases %s", len(others), where(v.secrets.namespace)),
			Why:    "nothing but the record itself says which chart they hold, and they are too many to be opened",
			Remedy: "name the release"})
		return nil
	}
	return slices.Collect(maps.Keys(others))
}

func (v *visit) missesNamed(c candidates) bool {
	return slices.ContainsFunc(v.target.Releases, func(name string) bool {
		for k := range c {
			if k.name == name {
				return false
			}
		}
		return true
	})
}

// fetch gets the records, all at the same time, and keeps the releases that are certain or hold one of Charts.
func (v *visit) fetch(ctx context.Context, h history, wanted candidates) []found {
	type job struct {
		key releaseKey
		rev revision
		got *unstructured.Unstructured
	}
	var jobs []job
	for k := range wanted {
		revisions := pick(h[k], v.target.Revision)
		for _, r := range revisions {
			jobs = append(jobs, job{key: k, rev: r})
		}
		if len(revisions) == 0 && len(v.target.Releases) == 0 && wanted[k] {
			v.gap(snapshot.Gap{What: fmt.Sprintf("revision %d of release %s/%s", v.target.Revision, k.namespace, k.name), Release: k.name,
				Why: "it has " + strings.Join(h.numbers(k.name), ", ")})
		}
	}
	each(len(jobs), func(i int) {
		k, r := jobs[i].key, jobs[i].rev
		o, err := v.dynamic.Resource(r.resource).Namespace(k.namespace).Get(ctx, r.object, metav1.GetOptions{})
		if err == nil {
			jobs[i].got = o
			return
		}
		kind := "Secret"
		if r.resource == configMapResource {
			kind = "ConfigMap"
		}
		if wanted[k] || soundsLike(k.name) {
			v.gap(snapshot.Gap{What: snapshot.ObjectName(kind, k.namespace, r.object), Why: err.Error(),
				Remedy: rule(err, r.resource, "get", "list"), Release: k.name})
		}
	})

	objects := map[releaseKey][]*unstructured.Unstructured{}
	for _, j := range jobs {
		if j.got != nil {
			objects[j.key] = append(objects[j.key], j.got)
		}
	}
	var out []found
	for k, certain := range wanted {
		one := snapshot.Snapshot{Objects: objects[k]}
		records := one.Records()
		if !certain && !slices.ContainsFunc(records, func(r snapshot.Record) bool { return holdsOurs(k, r) }) {
			continue
		}
		if len(records) == 0 && len(v.target.Releases) > 0 {
			continue
		}
		v.add(objects[k]...)
		out = append(out, found{releaseKey: k, records: records})
	}
	return out
}

// holdsOurs says whether a record holds one of Charts; one that cannot be decoded goes by its name.
func holdsOurs(k releaseKey, r snapshot.Record) bool {
	if r.Err != nil {
		return soundsLike(k.name)
	}
	return slices.Contains(Charts, r.Release.Chart.Name())
}

// withoutRecord adds every release that only live Deployments speak for: its record may not be read, or there is
// none, since Argo CD or `helm template` made the objects.
func (v *visit) withoutRecord(h history, releases []found) []found {
	for _, d := range v.deployments.items {
		k := owner(&d)
		_, recorded := h[k]
		if !v.asksFor(k, &d) || recorded && v.target.Revision > 0 {
			continue
		}
		i := slices.IndexFunc(releases, func(f found) bool { return f.releaseKey == k })
		if i < 0 {
			releases = append(releases, found{releaseKey: k})
			i = len(releases) - 1
		}
		if len(releases[i].records) > 0 {
			continue
		}
		releases[i].deployments = append(releases[i].deployments, d)
		if v.secrets.err == nil && !recorded && (v.target.RecordsOnly || gitops.MarkOf(&d).Tool != gitops.ArgoCD) {
			v.gap(snapshot.Gap{What: "release record of " + k.namespace + "/" + k.name, Release: k.name,
				Why: "live Deployments name this release, and Helm keeps no record of it " + where(v.secrets.namespace)})
		}
	}
	return releases
}

func (v *visit) asksFor(k releaseKey, d *metav1.PartialObjectMetadata) bool {
	if len(v.target.Releases) > 0 {
		return slices.Contains(v.target.Releases, k.name) && len(d.OwnerReferences) == 0
	}
	return isControlPlane(d)
}

// missing says what was looked for and is not there: an error if nothing is left, a gap for one of several.
func (v *visit) missing(h history, releases []found) error {
	place := where(v.secrets.namespace)
	if len(v.target.Releases) == 0 {
		if len(releases) > 0 {
			return nil
		}
		try := "look elsewhere with --namespace"
		if len(h) > 0 {
			try = fmt.Sprintf("name one of the %d other releases to have it diagnosed, or %s", len(h), try)
		}
		return v.withCause(fmt.Errorf("%w: no release of the charts %s %s, nor a Deployment of them: %s",
			ErrNoRelease, strings.Join(Charts, ", "), place, try))
	}
	var errs []string
	for _, name := range v.target.Releases {
		if slices.ContainsFunc(releases, func(f found) bool { return f.name == name }) {
			continue
		}
		what := fmt.Sprintf("no release %q %s", name, place)
		if numbers := h.numbers(name); len(numbers) > 0 && v.target.Revision > 0 {
			what = fmt.Sprintf("release %q has no revision %d: it has %s", name, v.target.Revision, strings.Join(numbers, ", "))
		} else if len(numbers) > 0 {
			what = fmt.Sprintf("the record of release %q could not be read", name)
		}
		errs = append(errs, what)
	}
	if len(errs) > 0 && len(releases) > 0 {
		for _, what := range errs {
			v.gap(snapshot.Gap{What: what, Why: "it was asked for by name", Remedy: "helm list --all-namespaces --all"})
		}
		return nil
	}
	if len(errs) > 0 {
		return v.withCause(fmt.Errorf("%w: %s: see `helm list --all --all-namespaces`", ErrNoRelease, strings.Join(errs, "; ")))
	}
	return nil
}

// withCause adds why there may be a release all the same.
func (v *visit) withCause(err error) error {
	if v.secrets.err != nil {
		return fmt.Errorf("%w (its record may exist: %w)", err, v.secrets.err)
	}
	return err
}

func (h history) numbers(name string) []string {
	var out []string
	for k, revisions := range h {
		for _, r := range revisions {
			if k.name == name {
				out = append(out, strconv.Itoa(r.number))
			}
		}
	}
	return out
}
