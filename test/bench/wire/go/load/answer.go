package main

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"serin/wirebench/rules"
)

// Room for one answer; a benchmark's is about 200 bytes.
const maxAnswerBytes = 64 * 1_024

var (
	headEnd       = []byte("\r\n\r\n")
	contentLength = []byte("\r\ncontent-length: ")
	variantHeader = []byte("\r\nx-variant: ")

	errTooLarge = errors.New("an answer is larger than the buffer")
	errNoLength = errors.New("an answer has no content-length")
)

// answer is what is read of a response.
type answer struct {
	status  int
	variant rules.VariantID
	// named: the answer says its variant.
	named bool
}

// answerReader reads answers of one connection; nothing is allocated per answer.
type answerReader struct {
	from   io.Reader
	buffer []byte
}

func (r *answerReader) next() (answer, error) {
	filled := 0
	for {
		read, err := r.from.Read(r.buffer[filled:])
		if err != nil {
			return answer{}, err
		}
		filled += read
		end := bytes.Index(r.buffer[:filled], headEnd)
		if end == -1 {
			if filled == len(r.buffer) {
				return answer{}, errTooLarge
			}
			continue
		}
		// With its last line's end, so that each header ends alike.
		head := r.buffer[:end+2]
		length, err := strconv.Atoi(string(valueOf(head, contentLength)))
		if err != nil {
			return answer{}, errNoLength
		}
		total := end + len(headEnd) + length
		if total > len(r.buffer) {
			return answer{}, errTooLarge
		}
		if filled < total {
			if _, err := io.ReadFull(r.from, r.buffer[filled:total]); err != nil {
				return answer{}, err
			}
		}
		return parseHead(head), nil
	}
}

// parseHead reads `HTTP/1.1 200 OK` and the header that names the variant.
func parseHead(head []byte) answer {
	found := answer{}
	if len(head) > 12 {
		found.status, _ = strconv.Atoi(string(head[9:12]))
	}
	switch string(valueOf(head, variantHeader)) {
	case "stable":
		found.named = true
	case "canary":
		found.named, found.variant = true, rules.Canary
	}
	return found
}

// valueOf gives the value behind a name that Envoy writes in lower case.
func valueOf(head, name []byte) []byte {
	at := bytes.Index(head, name)
	if at == -1 {
		return nil
	}
	value := head[at+len(name):]
	if end := bytes.IndexByte(value, '\r'); end != -1 {
		return value[:end]
	}
	return value
}
