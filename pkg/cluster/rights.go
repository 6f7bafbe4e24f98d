package cluster

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// Right is one thing that was asked of the API server.
type Right struct {
	Verb       string // get or list
	Group      string
	Resource   string
	Namespaced bool
	Namespace  string // empty: all, or the resource has none
	Name       string // for get
}

// Rights reads what Snapshot reads and says what it asked the API server for, sorted, each once. What was refused is
// among it; what only the answer would have led to is not. The API's version and kinds are left out: everybody may read
// them.
func (r *Reader) Rights(ctx context.Context, t Target) ([]Right, *snapshot.Snapshot, error) {
	asked := &ledger{}
	r.asked.Store(asked)
	defer r.asked.Store(nil)
	v, err := r.visit(ctx, t)
	if v == nil {
		return nil, nil, err
	}
	return asked.rights(&v.kinds), &v.snap, err
}

// ledger notes requests on their way out.
type ledger struct {
	mu    sync.Mutex
	asked []Right
}

// noting is the transport of a Reader.
type noting struct {
	next   http.RoundTripper
	reader *Reader
}

func (n noting) RoundTrip(q *http.Request) (*http.Response, error) {
	if l := n.reader.asked.Load(); l != nil {
		if right, ok := rightOf(q.URL.Path); ok {
			l.mu.Lock()
			l.asked = append(l.asked, right)
			l.mu.Unlock()
		}
	}
	return n.next.RoundTrip(q)
}

// rightOf reads the path of a request for objects: …/api/VERSION/… or …/apis/GROUP/VERSION/…, then a resource and perhaps
// a name, behind namespaces/NAMESPACE or not. The server's own address may have a path before it.
func rightOf(path string) (Right, bool) {
	steps := strings.Split(strings.Trim(path, "/"), "/")
	i := slices.IndexFunc(steps, func(s string) bool { return s == "api" || s == "apis" })
	if i < 0 {
		return Right{}, false
	}
	out, rest := Right{Verb: "list"}, steps[i+1:]
	if steps[i] == "apis" && len(rest) > 0 {
		out.Group, rest = rest[0], rest[1:]
	}
	if len(rest) < 2 { // discovery
		return Right{}, false
	}
	if rest = rest[1:]; rest[0] == "namespaces" && len(rest) > 2 {
		out.Namespace, rest = rest[1], rest[2:]
	}
	out.Resource = rest[0]
	if len(rest) > 1 {
		out.Verb, out.Name = "get", rest[1]
	}
	return out, true
}

// rights sorts what was asked. Whether a resource has namespaces is the API server's to say, or its path's.
func (l *ledger) rights(k *kinds) []Right {
	namespaced := map[string]bool{}
	for _, all := range k.known {
		for _, one := range all {
			namespaced[one.resource.Group+"/"+one.resource.Resource] = one.namespaced
		}
	}
	out := slices.Clone(l.asked)
	for i := range out {
		out[i].Namespaced = out[i].Namespace != "" || namespaced[out[i].Group+"/"+out[i].Resource]
	}
	slices.SortFunc(out, func(a, b Right) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Verb, b.Verb),
			cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return slices.Compact(out)
}
