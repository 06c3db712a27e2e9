package main

import (
	"net/netip"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
)

const filterName = "envoy.filters.http.ext_proc"

// request reads what deciding needs from a message; one pointer, so that it becomes an interface without an allocation.
type request struct{ message *extprocv3.ProcessingRequest }

func (r request) headers() []*corev3.HeaderValue {
	return r.message.GetRequestHeaders().GetHeaders().GetHeaders()
}

func (r request) NextHeader(name string, from int) (string, int) {
	headers := r.headers()
	for index := from; index < len(headers); index++ {
		if header := headers[index]; header.Key == name {
			// Envoy fills `raw_value` since 1.29 and `value` before.
			if len(header.RawValue) > 0 {
				return string(header.RawValue), index + 1
			}
			return header.Value, index + 1
		}
	}
	return "", 0
}

func (r request) Host() string {
	if host, at := r.NextHeader(":authority", 0); at != 0 {
		return host
	}
	host, _ := r.NextHeader("host", 0)
	return host
}

func (r request) Path() string {
	if path, at := r.NextHeader(":path", 0); at != 0 {
		return path
	}
	return "/"
}

// ClientAddress is that of the downstream connection, from the attribute `source.address`, which is `ip:port` or `[ip]:port`.
func (r request) ClientAddress() string {
	source := r.message.GetAttributes()[filterName].GetFields()["source.address"].GetStringValue()
	address := source
	if bracket := strings.LastIndexByte(source, ']'); bracket != -1 {
		address = source[strings.IndexByte(source, '[')+1 : bracket]
	} else if colon := strings.LastIndexByte(source, ':'); colon != -1 {
		address = source[:colon]
	}
	if _, err := netip.ParseAddr(address); err != nil {
		return ""
	}
	return address
}
