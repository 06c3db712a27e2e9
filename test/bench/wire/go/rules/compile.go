package rules

import (
	"slices"
	"strings"
)

// VariantID names a variant in tables.
type VariantID uint8

// The two variants of a canary.
const (
	Stable VariantID = iota
	Canary
)

// VariantNames by VariantID.
var VariantNames = [...]string{"stable", "canary"}

// Reason says why a variant was chosen.
type Reason uint8

// The reasons that rules from a file can give.
const (
	ByShare Reason = iota
	ByTarget
	NoKey
	NoRollout
	Off
)

// ReasonNames by Reason.
var ReasonNames = [...]string{"share", "target", "no key", "no rollout", "off"}

// Rollout is one rollout, ready to decide with.
type Rollout struct {
	Name     string
	Run      int
	Variants [2]Variant
	// Index is the rollout's place in Rules.Rollouts.
	Index int

	off       bool
	seed      uint32
	threshold uint64
	listUsers bool
	keys      []KeySource
	targets   []target
}

type target struct {
	variant VariantID
	header  *valueTest
	cookie  *valueTest
	users   map[string]struct{}
}

type valueTest struct {
	name    string
	exact   *string
	prefix  *string
	present bool
}

type route struct {
	path    string
	isExact bool
	rollout *Rollout
}

// Rules is a rule set, indexed by host.
type Rules struct {
	Epoch    int
	Revision int
	// Rollouts in order of their names.
	Rollouts []*Rollout
	// Hosts that some rollout names, in order, without "*".
	Hosts []string

	byName  map[string]*Rollout
	byHost  map[string][]route
	anyHost []route
}

// Compile makes the index, most specific path first.
func Compile(document Document) *Rules {
	rules := &Rules{
		Epoch: document.Epoch, Revision: document.Revision,
		byName: make(map[string]*Rollout), byHost: make(map[string][]route),
	}
	names := make([]string, 0, len(document.Rollouts))
	for name := range document.Rollouts {
		names = append(names, name)
	}
	slices.Sort(names)
	for index, name := range names {
		entry := document.Rollouts[name]
		rollout := compileRollout(name, index, entry)
		rules.Rollouts = append(rules.Rollouts, rollout)
		rules.byName[name] = rollout
		hosts := slices.Clone(entry.Rules.Match.Hosts)
		slices.Sort(hosts)
		for _, host := range slices.Compact(hosts) {
			for _, path := range entry.Rules.Match.Paths {
				rules.byHost[host] = append(rules.byHost[host], compileRoute(path, rollout))
			}
		}
	}
	for host, routes := range rules.byHost {
		// Stable, so rollouts that are equally specific stay ordered by name.
		slices.SortStableFunc(routes, bySpecificity)
		if host != "*" {
			rules.Hosts = append(rules.Hosts, host)
		}
	}
	slices.Sort(rules.Hosts)
	rules.anyHost = rules.byHost["*"]
	delete(rules.byHost, "*")
	return rules
}

// ByName finds a rollout; nil when there is none.
func (rules *Rules) ByName(name string) *Rollout { return rules.byName[name] }

func compileRollout(name string, index int, entry RolloutEntry) *Rollout {
	seed := Murmur3(entry.Rules.Salt, 0)
	rollout := &Rollout{
		Name: name, Run: entry.Live.Run, Index: index,
		Variants: [2]Variant{entry.Rules.Variants["stable"], entry.Rules.Variants["canary"]},
		off:      entry.Live.Off, seed: seed, threshold: threshold(entry.Live.ShareBp), keys: entry.Rules.Key,
	}
	for _, given := range entry.Rules.Targets {
		compiled := target{variant: variantID(given.Variant), header: compileTest(given.When.Header), cookie: compileTest(given.When.Cookie)}
		if given.When.Users != nil || given.When.UserHashes != nil {
			rollout.listUsers = true
			compiled.users = make(map[string]struct{})
			for _, user := range given.When.Users {
				compiled.users[userHash(seed, user)] = struct{}{}
			}
			for _, hash := range given.When.UserHashes {
				compiled.users[hash] = struct{}{}
			}
		}
		rollout.targets = append(rollout.targets, compiled)
	}
	return rollout
}

func variantID(name string) VariantID {
	if name == "canary" {
		return Canary
	}
	return Stable
}

func compileTest(match *ValueMatch) *valueTest {
	if match == nil {
		return nil
	}
	return &valueTest{name: match.Name, exact: match.Exact, prefix: match.Prefix, present: match.Present}
}

func compileRoute(path PathMatch, rollout *Rollout) route {
	if path.Exact != nil {
		return route{path: *path.Exact, isExact: true, rollout: rollout}
	}
	return route{path: *path.Prefix, rollout: rollout}
}

func bySpecificity(a, b route) int {
	if a.isExact || b.isExact {
		return boolToInt(b.isExact) - boolToInt(a.isExact)
	}
	return len(b.path) - len(a.path)
}

func boolToInt(value bool) int {
	if value {
		return 1
	}
	return 0
}

func (r *route) holds(path string) bool {
	if r.isExact {
		return path == r.path
	}
	if r.path == "/" {
		return true
	}
	if !strings.HasPrefix(path, r.path) {
		return false
	}
	return len(path) == len(r.path) || strings.HasSuffix(r.path, "/") || path[len(r.path)] == '/'
}

func (test *valueTest) holds(value string) bool {
	switch {
	case test.exact != nil:
		return value == *test.exact
	case test.prefix != nil:
		return strings.HasPrefix(value, *test.prefix)
	default:
		return true
	}
}
