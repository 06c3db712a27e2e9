package main

import (
	"errors"
	"io"
	"sync/atomic"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"serin/wirebench/rules"
)

type extProc struct {
	extprocv3.UnimplementedExternalProcessorServer
	current  *atomic.Pointer[current]
	counters *counters
	// sendsBytes: answers are copies of bytes made at load, instead of messages of go-control-plane's types.
	sendsBytes bool
}

// Process answers every message exactly once; a stream uses the rules that it started with.
func (e *extProc) Process(stream extprocv3.ExternalProcessor_ProcessServer) error {
	now := e.current.Load()
	e.counters.streams.Add(1)
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, isHeaders := message.Request.(*extprocv3.ProcessingRequest_RequestHeaders); !isHeaders {
			if err := e.pass(stream, message); err != nil {
				return err
			}
			continue
		}
		if err := e.send(stream, now, now.rules.Decide(request{message})); err != nil {
			return err
		}
	}
}

func (e *extProc) send(stream extprocv3.ExternalProcessor_ProcessServer, now *current, decision rules.Decision) error {
	if decision.Rollout == nil {
		return stream.Send(now.noRollout.whole)
	}
	control := 0
	if decision.Control {
		control = 1
	}
	prepared := &now.rollouts[decision.Rollout.Index]
	prepared.cells[decision.Variant][control].decisions[decision.Reason].Add(1)
	found := prepared.answers[decision.Variant][control][decision.Reason]
	switch {
	case !decision.HasBucket:
		return stream.Send(found.whole)
	case e.sendsBytes:
		return stream.SendMsg(serialised(found.copied(decision.Bucket)))
	default:
		return stream.Send(found.message(decision.Bucket))
	}
}

func (e *extProc) pass(stream extprocv3.ExternalProcessor_ProcessServer, message *extprocv3.ProcessingRequest) error {
	goOn := &extprocv3.CommonResponse{Status: extprocv3.CommonResponse_CONTINUE}
	response := &extprocv3.ProcessingResponse{}
	switch message.Request.(type) {
	case *extprocv3.ProcessingRequest_ResponseHeaders:
		response.Response = &extprocv3.ProcessingResponse_ResponseHeaders{ResponseHeaders: &extprocv3.HeadersResponse{Response: goOn}}
	case *extprocv3.ProcessingRequest_RequestBody:
		response.Response = &extprocv3.ProcessingResponse_RequestBody{RequestBody: &extprocv3.BodyResponse{Response: goOn}}
	case *extprocv3.ProcessingRequest_ResponseBody:
		response.Response = &extprocv3.ProcessingResponse_ResponseBody{ResponseBody: &extprocv3.BodyResponse{Response: goOn}}
	case *extprocv3.ProcessingRequest_RequestTrailers:
		response.Response = &extprocv3.ProcessingResponse_RequestTrailers{RequestTrailers: &extprocv3.TrailersResponse{}}
	case *extprocv3.ProcessingRequest_ResponseTrailers:
		response.Response = &extprocv3.ProcessingResponse_ResponseTrailers{ResponseTrailers: &extprocv3.TrailersResponse{}}
	default:
		e.counters.surprises.Add(1)
		return nil
	}
	return stream.Send(response)
}
