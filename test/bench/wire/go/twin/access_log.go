package main

import (
	"errors"
	"io"
	"strconv"
	"sync/atomic"

	datav3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	alsv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"serin/wirebench/rules"
)

// outcome of a request, as src/contract/evidence.ts has it.
type outcome uint8

const (
	ok outcome = iota
	failed
	aborted
	local
)

var outcomeNames = [...]string{"ok", "failed", "aborted", "local"}

// A client that leaves after this long was kept waiting.
const longWaitMs = 1_000

// A WebSocket that was opened has been answered, whoever ends it.
const switchedProtocols = 101

type accessLog struct {
	alsv3.UnimplementedAccessLogServiceServer
	current  *atomic.Pointer[current]
	cells    *cells
	counters *counters
}

// StreamAccessLogs takes outcomes until Envoy ends the stream.
func (a *accessLog) StreamAccessLogs(stream alsv3.AccessLogService_StreamAccessLogsServer) error {
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&alsv3.StreamAccessLogsResponse{})
		}
		if err != nil {
			return err
		}
		now := a.current.Load()
		for _, entry := range message.GetHttpLogs().GetLogEntry() {
			a.take(now, entry)
		}
	}
}

// take attributes one request: first attempts count on both sides (src/sidecar/attribution.ts).
func (a *accessLog) take(now *current, entry *datav3.HTTPAccessLogEntry) {
	common := entry.GetCommonProperties()
	switch common.GetAccessLogType() {
	case datav3.AccessLogType_NotSet, datav3.AccessLogType_DownstreamEnd:
	default:
		return
	}
	flags := common.GetResponseFlags()
	tried := common.GetUpstreamRemoteAddress() != nil || common.GetUpstreamRequestAttemptCount() > 0 || upstreamFailed(flags)
	fields := common.GetMetadata().GetFilterMetadata()[namespace].GetFields()
	if fields == nil {
		if tried {
			a.counters.failedOpen.Add(1)
		}
		return
	}
	rollout := text(fields, "rollout")
	if rollout == "" {
		return
	}
	key := cellKey{rollout: rollout, control: text(fields, "control") == "true"}
	switch text(fields, "variant") {
	case "stable":
	case "canary":
		key.variant = rules.Canary
	default:
		a.counters.surprises.Add(1)
		return
	}
	run, err := strconv.Atoi(text(fields, "run"))
	if err != nil {
		a.counters.surprises.Add(1)
		return
	}
	key.run = run
	attempts, answered := common.GetUpstreamRequestAttemptCount(), common.GetUpstreamCluster()
	if cluster := text(fields, "cluster"); key.variant == rules.Canary && cluster != "" && attempts <= 1 && tried && answered != "" && answered != cluster {
		a.counters.clusterMissing.Add(1)
		return
	}
	class := classOf(entry, tried)
	latencyMs, hasLatency := latencyOf(entry, class)
	a.cellOf(now, key).ended(class, latencyMs, hasLatency)
}

// cellOf takes the cell at hand; only an outcome of another run than the one in force needs the table.
func (a *accessLog) cellOf(now *current, key cellKey) *cell {
	if found := now.rules.ByName(key.rollout); found != nil && found.Run == key.run {
		control := 0
		if key.control {
			control = 1
		}
		return now.rollouts[found.Index].cells[key.variant][control]
	}
	return a.cells.of(key)
}

func text(fields map[string]*structpb.Value, name string) string {
	return fields[name].GetStringValue()
}

func upstreamFailed(flags *datav3.ResponseFlags) bool {
	return flags != nil && (flags.NoHealthyUpstream || flags.UpstreamRequestTimeout || flags.UpstreamRemoteReset ||
		flags.UpstreamConnectionFailure || flags.UpstreamConnectionTermination || flags.UpstreamOverflow ||
		flags.UpstreamRetryLimitExceeded || flags.UpstreamMaxStreamDurationReached || flags.UpstreamProtocolError ||
		flags.DnsResolutionFailure || flags.NoClusterFound)
}

func classOf(entry *datav3.HTTPAccessLogEntry, tried bool) outcome {
	common := entry.GetCommonProperties()
	flags := common.GetResponseFlags()
	clientLeft := flags.GetDownstreamConnectionTermination() || flags.GetDownstreamRemoteReset()
	code := entry.GetResponse().GetResponseCode().GetValue()
	upstreamFault := upstreamFailed(flags)
	switch {
	case !tried && clientLeft:
		return aborted
	case !tried:
		return local
	case common.GetUpstreamRequestAttemptCount() > 1:
		return failed
	case code == switchedProtocols:
		return ok
	case clientLeft && !upstreamFault:
		return aborted
	case upstreamFault, flags.GetStreamIdleTimeout() && code < 400, code >= 500, code == 0, grpcFailed(entry.GetResponse()):
		return failed
	default:
		return ok
	}
}

func grpcFailed(response *datav3.HTTPResponseProperties) bool {
	status := response.GetResponseTrailers()["grpc-status"]
	if status == "" {
		status = response.GetResponseHeaders()["grpc-status"]
	}
	switch status {
	case "2", "4", "12", "13", "14", "15":
		return true
	default:
		return false
	}
}

func latencyOf(entry *datav3.HTTPAccessLogEntry, class outcome) (float64, bool) {
	common := entry.GetCommonProperties()
	durationMs := float64(common.GetDuration().AsDuration().Nanoseconds()) / 1e6
	switch {
	case class == local, class == failed && common.GetUpstreamRequestAttemptCount() > 1, class == aborted && durationMs < longWaitMs,
		class == ok && entry.GetResponse().GetResponseCode().GetValue() == switchedProtocols:
		return 0, false
	case class == aborted, common.GetTimeToFirstUpstreamTxByte() == nil, common.GetTimeToLastUpstreamRxByte() == nil:
		return durationMs, true
	default:
		between := common.GetTimeToLastUpstreamRxByte().AsDuration() - common.GetTimeToFirstUpstreamTxByte().AsDuration()
		return max(0, float64(between.Nanoseconds())/1e6), true
	}
}
