package rules

import "strings"

// Request is what deciding reads. Header names are lower case.
type Request interface {
	Host() string
	Path() string
	// NextHeader gives the next value of a header from a place on, and the place behind it: 0 when there is none. The first place is 0.
	NextHeader(name string, from int) (value string, next int)
	// ClientAddress is "" when it is not known.
	ClientAddress() string
}

// Decision is the answer for one request.
type Decision struct {
	// Rollout is nil where none governs.
	Rollout   *Rollout
	Variant   VariantID
	Reason    Reason
	Control   bool
	HasBucket bool
	Bucket    uint32
}

// Decide takes off first, then targets in file order, then the share.
func (rules *Rules) Decide(request Request) Decision {
	rollout := rules.governing(request)
	if rollout == nil {
		return Decision{Reason: NoRollout}
	}
	key, hasKey := rollout.key(request)
	// Whatever decides, the bucket stands for the user: outcomes are counted by user too.
	decision := Decision{Rollout: rollout, HasBucket: hasKey}
	if hasKey {
		decision.Bucket = Murmur3(key, rollout.seed)
	}
	if rollout.off {
		decision.Reason = Off
		return decision
	}
	user := ""
	if hasKey && rollout.listUsers {
		user = userHash(rollout.seed, key)
	}
	for index := range rollout.targets {
		if found := &rollout.targets[index]; found.matches(request, user) {
			decision.Variant, decision.Reason = found.variant, ByTarget
			return decision
		}
	}
	if !hasKey {
		decision.Reason = NoKey
		return decision
	}
	if uint64(decision.Bucket) < rollout.threshold {
		decision.Variant = Canary
	} else {
		decision.Control = isControl(decision.Bucket, rollout.threshold)
	}
	return decision
}

func (rules *Rules) governing(request Request) *Rollout {
	own := rules.byHost[hostName(request.Host())]
	if own == nil && len(rules.anyHost) == 0 {
		return nil
	}
	path := request.Path()
	if query := strings.IndexAny(path, "?#"); query != -1 {
		path = path[:query]
	}
	for _, routes := range [2][]route{own, rules.anyHost} {
		for index := range routes {
			if routes[index].holds(path) {
				return routes[index].rollout
			}
		}
	}
	return nil
}

func hostName(authority string) string {
	lower := strings.ToLower(authority)
	if colon := strings.LastIndexByte(lower, ':'); colon > strings.LastIndexByte(lower, ']') {
		return lower[:colon]
	}
	return lower
}

func (rollout *Rollout) key(request Request) (string, bool) {
	for index := range rollout.keys {
		source := &rollout.keys[index]
		value := ""
		switch {
		case source.Header != "":
			value, _ = request.NextHeader(source.Header, 0)
		case source.Cookie != "":
			value, _ = cookie(request, source.Cookie)
		default:
			value = request.ClientAddress()
		}
		if value != "" {
			return value, true
		}
	}
	return "", false
}

func (target *target) matches(request Request, user string) bool {
	switch {
	case target.header != nil:
		for value, at := request.NextHeader(target.header.name, 0); at != 0; value, at = request.NextHeader(target.header.name, at) {
			if target.header.holds(value) {
				return true
			}
		}
		return false
	case target.cookie != nil:
		value, isThere := cookie(request, target.cookie.name)
		return isThere && target.cookie.holds(value)
	default:
		_, isListed := target.users[user]
		return user != "" && isListed
	}
}

// cookie is the first of that name over all cookie headers.
func cookie(request Request, name string) (string, bool) {
	for header, at := request.NextHeader("cookie", 0); at != 0; header, at = request.NextHeader("cookie", at) {
		for part := range strings.SplitSeq(header, ";") {
			key, value, isPair := strings.Cut(part, "=")
			if isPair && strings.TrimSpace(key) == name {
				value = strings.TrimSpace(value)
				if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
					value = value[1 : len(value)-1]
				}
				return value, true
			}
		}
	}
	return "", false
}
