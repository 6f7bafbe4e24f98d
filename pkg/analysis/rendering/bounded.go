package rendering

import "sync"

// bounded remembers results, up to about a given cost: when the newer half of it is full, the older half is dropped.
// It is safe for concurrent use.
type bounded[V any] struct {
	mu         sync.Mutex
	limit      int
	cost       int
	newer, old map[string]V
}

func newBounded[V any](limit int) *bounded[V] {
	return &bounded[V]{limit: limit / 2, newer: map[string]V{}}
}

func (b *bounded[V]) get(key string) (V, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, found := b.newer[key]
	if !found {
		v, found = b.old[key]
	}
	return v, found
}

func (b *bounded[V]) put(key string, v V, cost int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	cost += len(key) + 64
	if b.cost+cost > b.limit {
		b.old, b.newer, b.cost = b.newer, map[string]V{}, 0
	}
	b.newer[key] = v
	b.cost += cost
}
