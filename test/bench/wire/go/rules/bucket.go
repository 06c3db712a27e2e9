// Package rules reads the rule sets that `serin rules` prints and decides by them, as src/core/decide does.
package rules

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/bits"
)

// Buckets is the number of buckets, 2³².
const Buckets = 1 << 32

const (
	c1 = 0xcc9e2d51
	c2 = 0x1b873593
)

func mixBlock(block uint32) uint32 {
	return bits.RotateLeft32(block*c1, 15) * c2
}

// Murmur3 is MurmurHash3 x86 32 of a text's bytes.
func Murmur3(text string, seed uint32) uint32 {
	hash := seed
	at := 0
	for ; at+4 <= len(text); at += 4 {
		block := uint32(text[at]) | uint32(text[at+1])<<8 | uint32(text[at+2])<<16 | uint32(text[at+3])<<24
		hash = bits.RotateLeft32(hash^mixBlock(block), 13)*5 + 0xe6546b64
	}
	rest := uint32(0)
	for shift := 0; at < len(text); at, shift = at+1, shift+8 {
		rest |= uint32(text[at]) << shift
	}
	hash ^= mixBlock(rest) ^ uint32(len(text))
	hash = (hash ^ hash>>16) * 0x85ebca6b
	hash = (hash ^ hash>>13) * 0xc2b2ae35
	return hash ^ hash>>16
}

// threshold is the first bucket that is not the canary's.
func threshold(shareBp int) uint64 {
	return uint64(math.Floor(float64(shareBp) * Buckets / 10_000))
}

// isControl tells whether a bucket of stable lies in the slice that is counted apart.
func isControl(bucket uint32, threshold uint64) bool {
	return uint64(bucket) >= Buckets-min(threshold, Buckets-threshold)
}

// userHash stands for a user in lists.
func userHash(seed uint32, key string) string {
	var bytes [8]byte
	binary.BigEndian.PutUint32(bytes[:4], Murmur3(key, seed^0x5e41a001))
	binary.BigEndian.PutUint32(bytes[4:], Murmur3(key, seed^0x7c3f90d5))
	return hex.EncodeToString(bytes[:])
}
