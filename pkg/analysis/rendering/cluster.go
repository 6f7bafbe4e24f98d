package rendering

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
	"helm.sh/helm/v3/pkg/chartutil"
)

// On is the same chart and values on another cluster: one that has more APIs, or is of another Kubernetes version
// where k names one. It is made once for each, and fails as NewWorld does.
func (w *World) On(k Cluster) (*World, error) {
	key := k.KubeVersion + " " + strings.Join(k.APIVersions, ",")
	w.mu.Lock()
	defer w.mu.Unlock()
	if there := w.others[key]; there != nil {
		return there, nil
	}
	caps := w.renderer.caps.Copy()
	caps.APIVersions = slices.Concat(caps.APIVersions, k.APIVersions)
	if k.KubeVersion != "" {
		v, err := chartutil.ParseKubeVersion(k.KubeVersion)
		if err != nil {
			return nil, fmt.Errorf("kubernetes version %q: %w", k.KubeVersion, err)
		}
		caps.KubeVersion = *v
	}
	there, err := NewWorld(&Renderer{chart: w.renderer.chart, release: w.renderer.release, caps: caps}, w.supplied)
	if err != nil {
		return nil, err
	}
	if w.others == nil {
		w.others = map[string]*World{}
	}
	w.others[key] = there
	return there, nil
}

// KubeVersion is the Kubernetes version that templates see, as v1.31.0.
func (w *World) KubeVersion() string { return w.renderer.caps.KubeVersion.Version }

// HasAPI says whether the cluster has a group version, or a kind of one, as .Capabilities.APIVersions.Has does.
func (w *World) HasAPI(version string) bool { return w.renderer.caps.APIVersions.Has(version) }

// IsKubeVersion says whether a value that a template sees is .Capabilities.KubeVersion.
func IsKubeVersion(v any) bool {
	t := reflect.TypeOf(v)
	return t == reflect.TypeFor[chartutil.KubeVersion]() || t == reflect.TypeFor[*chartutil.KubeVersion]()
}

var versionIn = regexp.MustCompile(`(\d+)\.(\d+)`)

// VersionWhere gives the Kubernetes version nearest to now for which a constraint of semverCompare holds, or does not
// hold if that is wanted. found is false if the constraint cannot be read, or no version beside those that it names is
// one.
func VersionWhere(constraint string, want bool, now string) (version string, found bool) {
	c, err := semver.NewConstraint(constraint)
	if err != nil {
		return "", false
	}
	at := minorOf(now)
	best := -1
	for _, m := range versionIn.FindAllStringSubmatch(constraint, -1) {
		minor, err := strconv.Atoi(m[2])
		if err != nil || m[1] != "1" {
			continue
		}
		for _, n := range []int{minor, minor - 1, minor + 1} {
			v, err := semver.NewVersion(fmt.Sprintf("v1.%d.0", n))
			if n < 0 || err != nil || c.Check(v) != want {
				continue
			}
			if best < 0 || distance(n, at) < distance(best, at) {
				best = n
			}
		}
	}
	return fmt.Sprintf("v1.%d.0", best), best >= 0
}

func minorOf(version string) int {
	m := versionIn.FindStringSubmatch(version)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[2]) // digits
	return n
}

func distance(a, b int) int { return max(a-b, b-a) }
