package main

import (
	"sync"
	"sync/atomic"

	"serin/wirebench/rules"
)

// Upper bounds of the latency histogram, in milliseconds (LATENCY_BOUNDS_MS of src/contract/names.ts).
var latencyBoundsMs = [...]float64{1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200, 300, 500, 700, 1_000, 2_000, 5_000, 10_000, 30_000}

// cellKey names what is counted apart.
type cellKey struct {
	rollout string
	run     int
	variant rules.VariantID
	control bool
}

// cell counts one variant of one run; only atomic additions on the way of a request.
type cell struct {
	decisions    [len(rules.ReasonNames)]atomic.Int64
	outcomes     [len(outcomeNames)]atomic.Int64
	latency      [len(latencyBoundsMs) + 1]atomic.Int64
	latencySumUs atomic.Int64
}

func (c *cell) ended(class outcome, latencyMs float64, hasLatency bool) {
	c.outcomes[class].Add(1)
	if !hasLatency {
		return
	}
	bucket := 0
	for bucket < len(latencyBoundsMs) && latencyMs > latencyBoundsMs[bucket] {
		bucket++
	}
	c.latency[bucket].Add(1)
	c.latencySumUs.Add(int64(latencyMs * 1_000))
}

// cells outlive a rule set: counts are cumulative.
type cells struct {
	mutex sync.RWMutex
	all   map[cellKey]*cell
}

func (c *cells) of(key cellKey) *cell {
	c.mutex.RLock()
	found := c.all[key]
	c.mutex.RUnlock()
	if found != nil {
		return found
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if found = c.all[key]; found == nil {
		found = &cell{}
		c.all[key] = found
	}
	return found
}

// counters are the server's own.
type counters struct {
	streams, failedOpen, clusterMissing, surprises atomic.Int64
}
