package main

import (
	"fmt"

	"serin/wirebench/rules"
)

// prepared is a request that is bytes already, with the variant that its user must see.
type prepared struct {
	bytes    []byte
	expected rules.VariantID
}

// Enough users that no cache of anybody's holds them all.
const preparedCount = 20_000

// prepareRequests walks over the hosts of the rule set, one new user each; header is one more line, or empty.
func prepareRequests(set *rules.Rules, method, path, header string) []prepared {
	length := ""
	if method != "GET" && method != "HEAD" {
		length = "content-length: 0\r\n"
	}
	if header != "" {
		header += "\r\n"
	}
	all := make([]prepared, preparedCount)
	for index := range all {
		host := set.Hosts[index%len(set.Hosts)]
		user := fmt.Sprintf("user-%d", index*7_919)
		text := fmt.Sprintf("%s %s HTTP/1.1\r\nhost: %s\r\nuser-agent: serin-load/1\r\naccept: */*\r\nx-user-id: %s\r\n%s%s\r\n", method, path, host, user, header, length)
		decision := set.Decide(plainRequest{host: host, path: path, user: user})
		all[index] = prepared{bytes: []byte(text), expected: decision.Variant}
	}
	return all
}

// plainRequest is what deciding reads of such a request.
type plainRequest struct{ host, path, user string }

func (r plainRequest) Host() string          { return r.host }
func (r plainRequest) Path() string          { return r.path }
func (r plainRequest) ClientAddress() string { return "127.0.0.1" }
func (r plainRequest) NextHeader(name string, from int) (string, int) {
	if name == "x-user-id" && from == 0 {
		return r.user, 1
	}
	return "", 0
}
