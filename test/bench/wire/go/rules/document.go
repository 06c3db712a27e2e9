package rules

import (
	"encoding/json"
	"fmt"
	"os"
)

// Document is a rule set as `serin rules` prints it (src/contract/rules.ts).
type Document struct {
	Format   int                     `json:"format"`
	Epoch    int                     `json:"epoch"`
	Revision int                     `json:"revision"`
	Rollouts map[string]RolloutEntry `json:"rollouts"`
}

// RolloutEntry is one rollout of a document.
type RolloutEntry struct {
	Rules struct {
		Match struct {
			Hosts []string    `json:"hosts"`
			Paths []PathMatch `json:"paths"`
		} `json:"match"`
		Key      []KeySource        `json:"key"`
		Salt     string             `json:"salt"`
		Variants map[string]Variant `json:"variants"`
		Targets  []Target           `json:"targets"`
	} `json:"rules"`
	Live struct {
		Run     int  `json:"run"`
		ShareBp int  `json:"shareBp"`
		Off     bool `json:"off"`
	} `json:"live"`
}

// PathMatch is one of the two.
type PathMatch struct {
	Prefix *string `json:"prefix"`
	Exact  *string `json:"exact"`
}

// KeySource is one of the three.
type KeySource struct {
	Header        string `json:"header"`
	Cookie        string `json:"cookie"`
	ClientAddress bool   `json:"clientAddress"`
}

// Variant is a version that can answer.
type Variant struct {
	Cluster string            `json:"cluster"`
	Tags    map[string]string `json:"tags"`
}

// Target is a rule before the share.
type Target struct {
	Name    string    `json:"name"`
	Variant string    `json:"variant"`
	When    Condition `json:"when"`
}

// Condition is one of the four.
type Condition struct {
	Header     *ValueMatch `json:"header"`
	Cookie     *ValueMatch `json:"cookie"`
	Users      []string    `json:"users"`
	UserHashes []string    `json:"userHashes"`
}

// ValueMatch has one of exact, prefix and present.
type ValueMatch struct {
	Name    string  `json:"name"`
	Exact   *string `json:"exact"`
	Prefix  *string `json:"prefix"`
	Present bool    `json:"present"`
}

// Read reads and compiles a rule set.
func Read(path string) (*Rules, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var document Document
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if document.Format != 1 {
		return nil, fmt.Errorf("%s: format %d is not known", path, document.Format)
	}
	return Compile(document), nil
}
