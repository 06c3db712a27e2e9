package main

import (
	"fmt"
	"io"
	"net/http"

	"serin/wirebench/rules"
)

// metricsPage writes all counts in the text format of Prometheus, under the names of Serin's.
func metricsPage(counted *cells, own *counters) http.HandlerFunc {
	return func(response http.ResponseWriter, _ *http.Request) {
		response.Header().Set("content-type", "text/plain; version=0.0.4")
		fmt.Fprintf(response, "serin_ext_proc_streams_total %d\n", own.streams.Load())
		fmt.Fprintf(response, "serin_failed_open_total %d\n", own.failedOpen.Load())
		fmt.Fprintf(response, "serin_cluster_missing_total %d\n", own.clusterMissing.Load())
		fmt.Fprintf(response, "serin_surprises_total %d\n", own.surprises.Load())
		counted.mutex.RLock()
		defer counted.mutex.RUnlock()
		for key, cell := range counted.all {
			writeCell(response, key, cell)
		}
	}
}

func writeCell(out io.Writer, key cellKey, c *cell) {
	labels := fmt.Sprintf("rollout=%q,variant=%q,run=\"%d\",control=\"%t\"", key.rollout, rules.VariantNames[key.variant], key.run, key.control)
	for reason, name := range rules.ReasonNames {
		if count := c.decisions[reason].Load(); count > 0 {
			fmt.Fprintf(out, "serin_decisions_total{%s,reason=%q} %d\n", labels, name, count)
		}
	}
	for class, name := range outcomeNames {
		if count := c.outcomes[class].Load(); count > 0 {
			fmt.Fprintf(out, "serin_outcomes_total{%s,class=%q} %d\n", labels, name, count)
		}
	}
	total := int64(0)
	for bucket, bound := range latencyBoundsMs {
		total += c.latency[bucket].Load()
		fmt.Fprintf(out, "serin_outcome_duration_seconds_bucket{%s,le=\"%g\"} %d\n", labels, bound/1_000, total)
	}
	total += c.latency[len(latencyBoundsMs)].Load()
	fmt.Fprintf(out, "serin_outcome_duration_seconds_bucket{%s,le=\"+Inf\"} %d\n", labels, total)
	fmt.Fprintf(out, "serin_outcome_duration_seconds_sum{%s} %g\n", labels, float64(c.latencySumUs.Load())/1e6)
	fmt.Fprintf(out, "serin_outcome_duration_seconds_count{%s} %d\n", labels, total)
}
