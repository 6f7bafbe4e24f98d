// Package cluster reads what the doctor needs from an API server. It is the only package that talks to one, and it
// only gets and lists.
//
// The number of requests follows the releases that are looked at, never the size of the cluster, and at most four
// of them wait for one another: lists of metadata, (ConfigMaps, if there are no Secrets,) records, live objects. One
// more, for the reasons, is made where something is not as it should be, and one where Flux or Argo CD keeps a release.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// ErrNoRelease says that there is nothing to diagnose. The snapshot that comes with it holds the header, so that a
// chart can be judged before its first installation.
var ErrNoRelease = errors.New("no release found")

// Charts are the charts that are looked for when no release is named.
var Charts = []string{"kgateway", "kgateway-crds", "agentgateway", "agentgateway-crds", "gloo"}

// Target says what to read.
type Target struct {
	Namespace   string   // of the releases; empty: all
	Fallback    string   // namespace to look in if all is forbidden; empty: none
	Releases    []string // names, of releases of any chart; empty: those that hold one of Charts
	Revision    int      // 0: the newest one, and the newest deployed one if that is another
	RecordsOnly bool     // no live objects
}

// Reader reads from one API server.
type Reader struct {
	Now     func() time.Time // for Header.TakenAt
	Context string           // for Header.Context

	host     string
	asked    atomic.Pointer[ledger] // while Rights reads
	raw      rest.Interface
	metadata metadata.Interface
	dynamic  dynamic.Interface
}

// New makes a Reader. The configuration is copied; its user agent and time-out are kept, its rate limit is lifted:
// the number of requests is bounded, and the API server defends itself.
func New(cfg *rest.Config) (*Reader, error) {
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1
	cfg.WarningHandler = rest.NoWarnings{} // a chart's old API versions are not ours to complain about
	if cfg.UserAgent == "" {
		cfg.UserAgent = "kubectl-kgw-doctor"
	}
	r := &Reader{Now: time.Now, host: cfg.Host}
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { return noting{next, r} })
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("set up the connection to %s: %w", cfg.Host, err)
	}
	if r.raw, err = rawClient(cfg, client); err == nil {
		if r.metadata, err = metadata.NewForConfigAndClient(cfg, client); err == nil {
			r.dynamic, err = dynamic.NewForConfigAndClient(cfg, client)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("set up the connection to %s: %w", cfg.Host, err)
	}
	return r, nil
}

// rawClient is for /version and discovery, whose answers no other client of ours reads.
func rawClient(cfg *rest.Config, client *http.Client) (rest.Interface, error) {
	cfg = rest.CopyConfig(cfg)
	cfg.GroupVersion = &schema.GroupVersion{}
	cfg.NegotiatedSerializer = serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion()
	return rest.UnversionedRESTClientForConfigAndClient(cfg, client)
}

// Snapshot reads the releases and their live objects. What may not or cannot be read becomes a gap; an error is
// only what leaves nothing to look at: no answer at the first contact, rejected credentials, an interrupt, or
// ErrNoRelease.
func (r *Reader) Snapshot(ctx context.Context, t Target) (*snapshot.Snapshot, error) {
	v, err := r.visit(ctx, t)
	if v == nil {
		return nil, err
	}
	return &v.snap, err
}

func (r *Reader) visit(ctx context.Context, t Target) (*visit, error) {
	for _, name := range t.Releases {
		if name == "" || len(validation.IsValidLabelValue(name)) > 0 {
			return nil, fmt.Errorf("%w: %q cannot be the name of a release", ErrNoRelease, name)
		}
	}
	v := &visit{Reader: r, target: t, seen: map[string]bool{}}
	v.snap.Header = snapshot.Header{TakenAt: r.Now().UTC().Format(time.RFC3339), Namespace: t.Namespace, Context: r.Context}

	if err := v.survey(ctx); err != nil {
		return nil, err
	}
	releases, err := v.records(ctx)
	if err == nil && !t.RecordsOnly {
		v.live(ctx, releases)
		v.reasons(ctx, releases)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, ctx.Err()
	}
	v.sort()
	return v, err
}

// firstContact tells a server that cannot be worked with from rights that are missing.
func (r *Reader) firstContact(errs ...error) error {
	refusals := 0
	for _, err := range errs {
		if apierrors.IsUnauthorized(err) {
			return fmt.Errorf("log in to the API server at %s: %w", r.host, err)
		}
		if err != nil && !apierrors.IsForbidden(err) {
			refusals++
		}
	}
	if refusals == len(errs) {
		return fmt.Errorf("contact the API server at %s: %w", r.host, errs[0])
	}
	return nil
}
