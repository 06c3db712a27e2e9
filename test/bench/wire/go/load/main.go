// The load sends requests over keep-alive connections as fast as they are answered, and checks who answered each.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"serin/wirebench/rules"
)

// result is what one run prints; times in microseconds.
type result struct {
	Requests         int            `json:"requests"`
	Seconds          float64        `json:"seconds"`
	RequestsPerS     float64        `json:"requestsPerS"`
	P50Us            float64        `json:"p50Us"`
	P99Us            float64        `json:"p99Us"`
	Status           map[string]int `json:"status"`
	ConnectionErrors int            `json:"connectionErrors"`
	Failed           int            `json:"failed"`
	Stable           int            `json:"stable"`
	Canary           int            `json:"canary"`
	Unnamed          int            `json:"unnamed"`
	// Canary's users whom stable answered, and the other way round.
	CanaryOnStable int `json:"canaryOnStable"`
	StableOnCanary int `json:"stableOnCanary"`
}

// No request of a benchmark takes this long; one that does counts as a connection error.
const answerWithin = 10 * time.Second

type options struct {
	address     string
	connections int
	requests    int64
	end         time.Time
	prepared    []prepared
}

func main() {
	address := flag.String("address", "", "HOST:PORT")
	rulesPath := flag.String("rules", "", "rule set whose hosts are asked")
	connections := flag.Int("connections", 1, "")
	requests := flag.Int64("requests", 0, "ends after so many requests; 0: only by time")
	seconds := flag.Float64("seconds", 10, "ends after this time")
	method := flag.String("method", "GET", "")
	path := flag.String("path", "/", "")
	header := flag.String("header", "", "one more header of each request, as name: value")
	threads := flag.Int("threads", 1, "cores that it may use")
	flag.Parse()
	runtime.GOMAXPROCS(*threads)
	set, err := rules.Read(*rulesPath)
	if err != nil {
		log.Fatal(err)
	}
	if len(set.Hosts) == 0 {
		log.Fatalf("%s names no host", *rulesPath)
	}
	run := options{address: *address, connections: *connections, requests: *requests, prepared: prepareRequests(set, *method, *path, *header)}
	begin := time.Now()
	run.end = begin.Add(time.Duration(*seconds * float64(time.Second)))
	tallies := runAll(run)
	if err := json.NewEncoder(os.Stdout).Encode(summarise(tallies, time.Since(begin).Seconds())); err != nil {
		log.Fatal(err)
	}
}

// tally is what one connection saw.
type tally struct {
	latencyNs        []uint32
	status           [1_000]int
	connectionErrors int
	variants         [2]int
	unnamed          int
	misrouted        [2]int
}

func runAll(run options) []*tally {
	var sent atomic.Int64
	var group sync.WaitGroup
	tallies := make([]*tally, run.connections)
	for index := range tallies {
		tallies[index] = &tally{}
		group.Go(func() {
			worker := worker{run: run, tally: tallies[index], sent: &sent, at: index * len(run.prepared) / run.connections}
			worker.work()
		})
	}
	group.Wait()
	return tallies
}

type worker struct {
	run   options
	tally *tally
	sent  *atomic.Int64
	at    int
}

// work connects again after each error, until requests or time are used up.
func (w *worker) work() {
	buffer := make([]byte, maxAnswerBytes)
	for time.Now().Before(w.run.end) {
		connection, err := net.DialTimeout("tcp", w.run.address, answerWithin)
		if err != nil {
			w.tally.connectionErrors++
			time.Sleep(time.Millisecond)
			continue
		}
		err = w.use(connection, &answerReader{from: connection, buffer: buffer})
		connection.Close()
		if err == nil {
			return
		}
		w.tally.connectionErrors++
	}
}

// use sends until the run is over; nil then.
func (w *worker) use(connection net.Conn, reader *answerReader) error {
	var deadlineMoved time.Time
	for {
		begin := time.Now()
		if !begin.Before(w.run.end) || (w.run.requests > 0 && w.sent.Add(1) > w.run.requests) {
			return nil
		}
		// Moving a deadline costs as much as a timer, so it is done only now and then.
		if begin.Sub(deadlineMoved) > time.Second {
			deadlineMoved = begin
			if err := connection.SetDeadline(begin.Add(answerWithin)); err != nil {
				return err
			}
		}
		request := &w.run.prepared[w.at]
		w.at = (w.at + 1) % len(w.run.prepared)
		if _, err := connection.Write(request.bytes); err != nil {
			return err
		}
		got, err := reader.next()
		if err != nil {
			return err
		}
		w.tally.take(request, got, time.Since(begin))
	}
}

func (t *tally) take(request *prepared, got answer, latency time.Duration) {
	t.latencyNs = append(t.latencyNs, uint32(min(latency.Nanoseconds(), 1<<32-1)))
	t.status[got.status%len(t.status)]++
	if !got.named {
		t.unnamed++
		return
	}
	t.variants[got.variant]++
	if got.variant != request.expected {
		t.misrouted[request.expected]++
	}
}

func summarise(tallies []*tally, seconds float64) result {
	total := result{Seconds: seconds, Status: map[string]int{}}
	var latencies []uint32
	for _, one := range tallies {
		latencies = append(latencies, one.latencyNs...)
		total.ConnectionErrors += one.connectionErrors
		total.Stable += one.variants[rules.Stable]
		total.Canary += one.variants[rules.Canary]
		total.Unnamed += one.unnamed
		total.StableOnCanary += one.misrouted[rules.Stable]
		total.CanaryOnStable += one.misrouted[rules.Canary]
		for status, count := range one.status {
			if count == 0 {
				continue
			}
			total.Status[strconv.Itoa(status)] += count
			if status < 200 || status > 299 {
				total.Failed += count
			}
		}
	}
	total.Requests = len(latencies) + total.ConnectionErrors
	total.Failed += total.ConnectionErrors
	total.RequestsPerS = float64(len(latencies)) / seconds
	slices.Sort(latencies)
	total.P50Us, total.P99Us = quantileUs(latencies, 0.5), quantileUs(latencies, 0.99)
	return total
}

func quantileUs(sorted []uint32, part float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[min(len(sorted)-1, int(part*float64(len(sorted))))]) / 1_000
}
