// The twin is a sidecar in Go that does the same work as Serin's: the yardstick of `npm run bench:wire`.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	alsv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"serin/wirebench/rules"
)

// A few megabytes live, so that the collector at Go's default of 100 would run after every few thousand requests.
const gcPercent = 400

// Streams beyond the workers get a goroutine each, whose stack grows anew; Envoy's access log stream holds a worker for ever.
const workersPerCore = 16

const reloadEvery = time.Second

func main() {
	address := flag.String("ext-proc", "", "unix:PATH or HOST:PORT")
	rulesPath := flag.String("rules", "", "rule set as `serin rules` prints it")
	metrics := flag.String("metrics", "127.0.0.1:0", "HOST:PORT of /metrics")
	typed := flag.Bool("typed", false, "make each answer of go-control-plane's types, instead of copying bytes that were made at load")
	flag.Parse()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if err := run(*address, *rulesPath, *metrics, !*typed); err != nil {
		log.Fatal(err)
	}
}

func run(address, rulesPath, metrics string, sendsBytes bool) error {
	counted, own := &cells{all: make(map[cellKey]*cell)}, &counters{}
	var now atomic.Pointer[current]
	if err := load(rulesPath, counted, &now); err != nil {
		return err
	}
	listener, err := listen(address)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.NumStreamWorkers(uint32(workersPerCore*runtime.GOMAXPROCS(0))), grpc.ForceServerCodecV2(newCodec()))
	extprocv3.RegisterExternalProcessorServer(server, &extProc{current: &now, counters: own, sendsBytes: sendsBytes})
	alsv3.RegisterAccessLogServiceServer(server, &accessLog{current: &now, cells: counted, counters: own})
	serving := health.NewServer()
	healthv1.RegisterHealthServer(server, serving)

	http1, err := net.Listen("tcp", metrics)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", metricsPage(counted, own))
	go func() { log.Print(http.Serve(http1, mux)) }()

	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	go reload(stop, rulesPath, counted, &now)
	go func() {
		<-stop.Done()
		// Envoy keeps its access log stream open for ever.
		time.AfterFunc(500*time.Millisecond, server.Stop)
		server.GracefulStop()
	}()
	line, err := json.Marshal(map[string]string{"extProc": address, "metrics": "http://" + http1.Addr().String()})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return server.Serve(listener)
}

func listen(address string) (net.Listener, error) {
	if path, isUnix := strings.CutPrefix(address, "unix:"); isUnix {
		return net.Listen("unix", path)
	}
	return net.Listen("tcp", address)
}

func load(path string, counted *cells, now *atomic.Pointer[current]) error {
	set, err := rules.Read(path)
	if err != nil {
		return err
	}
	prepared, err := prepare(set, counted)
	if err != nil {
		return err
	}
	now.Store(prepared)
	return nil
}

// reload swaps the rules when the file has changed; the last good ones stay when the new ones cannot be read.
func reload(stop context.Context, path string, counted *cells, now *atomic.Pointer[current]) {
	ticker := time.NewTicker(reloadEvery)
	defer ticker.Stop()
	last := modified(path)
	for {
		select {
		case <-stop.Done():
			return
		case <-ticker.C:
			if at := modified(path); at != last {
				last = at
				if err := load(path, counted, now); err != nil {
					log.Printf("rules refused: %v", err)
				}
			}
		}
	}
}

func modified(path string) time.Time {
	if info, err := os.Stat(path); err == nil {
		return info.ModTime()
	}
	return time.Time{}
}
