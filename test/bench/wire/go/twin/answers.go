package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"serin/wirebench/rules"
)

const namespace = "serin"

// current is a rule set with all that can be prepared before a request comes.
type current struct {
	rules     *rules.Rules
	rollouts  []rolloutAnswers
	noRollout *answer
}

type rolloutAnswers struct {
	// By variant, control, reason.
	answers [2][2][len(rules.ReasonNames)]*answer
	cells   [2][2]*cell
}

// answer is what does not change from request to request. Its messages are shared and never written again.
type answer struct {
	headers *extprocv3.ProcessingResponse_RequestHeaders
	fields  map[string]*structpb.Value
	// whole is sent where there is no bucket.
	whole *extprocv3.ProcessingResponse
	// outcome is the decision as one text, behind the bucket.
	outcome string
	// bytes hold a whole answer with a bucket, whose eight bytes stand at bucketAt, and its eight digits at digitsAt.
	bytes    []byte
	bucketAt int
	digitsAt int
}

const (
	noDigits   = "--------"
	zeroDigits = "00000000"
)

func prepare(set *rules.Rules, counted *cells) (*current, error) {
	now := &current{rules: set}
	var err error
	if now.noRollout, err = prepareAnswer(set, rules.Decision{Reason: rules.NoRollout}); err != nil {
		return nil, err
	}
	for _, rollout := range set.Rollouts {
		prepared := rolloutAnswers{}
		for variant := range 2 {
			for control := range 2 {
				key := cellKey{rollout: rollout.Name, run: rollout.Run, variant: rules.VariantID(variant), control: control == 1}
				prepared.cells[variant][control] = counted.of(key)
				for reason := range rules.ReasonNames {
					decision := rules.Decision{Rollout: rollout, Variant: key.variant, Control: key.control, Reason: rules.Reason(reason)}
					if prepared.answers[variant][control][reason], err = prepareAnswer(set, decision); err != nil {
						return nil, err
					}
				}
			}
		}
		now.rollouts = append(now.rollouts, prepared)
	}
	return now, nil
}

func prepareAnswer(set *rules.Rules, decision rules.Decision) (*answer, error) {
	stable, cluster := "stable", ""
	tags := []*corev3.HeaderValueOption{}
	if decision.Rollout != nil {
		stable = decision.Rollout.Variants[rules.Stable].Cluster
		variant := decision.Rollout.Variants[decision.Variant]
		cluster = variant.Cluster
		for key, value := range variant.Tags {
			tags = append(tags, &corev3.HeaderValueOption{
				Header:       &corev3.HeaderValue{Key: key, RawValue: []byte(value)},
				AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
			})
		}
	}
	fields := map[string]*structpb.Value{
		"variant":         structpb.NewStringValue(rules.VariantNames[decision.Variant]),
		"revision":        structpb.NewStringValue(fmt.Sprintf("%d.%d", set.Epoch, set.Revision)),
		"reason":          structpb.NewStringValue(rules.ReasonNames[decision.Reason]),
		"priority_groups": priorityGroups(cluster, stable),
	}
	if decision.Rollout != nil {
		fields["rollout"] = structpb.NewStringValue(decision.Rollout.Name)
		fields["run"] = structpb.NewStringValue(strconv.Itoa(decision.Rollout.Run))
		fields["control"] = structpb.NewStringValue(strconv.FormatBool(decision.Control))
		fields["cluster"] = structpb.NewStringValue(cluster)
	}
	made := &answer{fields: fields, headers: headersAnswer(tags), outcome: outcomeText(decision, cluster)}
	made.whole = made.with(made.without())
	return made, made.serialise()
}

// outcomeText is what src/sidecar/wire/outcome.ts writes, from behind the bucket on. Names here need no escapes.
func outcomeText(decision rules.Decision, cluster string) string {
	marks, run, name := "--", 0, ""
	if decision.Control {
		marks = "c-"
	}
	if decision.Rollout != nil {
		run, name = decision.Rollout.Run, decision.Rollout.Name
	}
	return fmt.Sprintf(":%s:%d:%s:%s:%s", marks, run, rules.VariantNames[decision.Variant], name, cluster)
}

// without are the fields of an answer without a bucket.
func (a *answer) without() map[string]*structpb.Value {
	return a.fieldsWith(noDigits)
}

func (a *answer) fieldsWith(digits string) map[string]*structpb.Value {
	fields := make(map[string]*structpb.Value, len(a.fields)+2)
	for name, value := range a.fields {
		fields[name] = value
	}
	fields["outcome"] = structpb.NewStringValue(digits + a.outcome)
	return fields
}

// headersAnswer always holds a header mutation: without it Envoy ignores `clear_route_cache`.
func headersAnswer(tags []*corev3.HeaderValueOption) *extprocv3.ProcessingResponse_RequestHeaders {
	return &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: &extprocv3.HeadersResponse{Response: &extprocv3.CommonResponse{
		Status:          extprocv3.CommonResponse_CONTINUE,
		HeaderMutation:  &extprocv3.HeaderMutation{SetHeaders: tags},
		ClearRouteCache: true,
	}}}
}

func priorityGroups(cluster, stable string) *structpb.Value {
	names := []string{stable}
	if cluster != "" && cluster != stable {
		names = []string{cluster, stable}
	}
	list := &structpb.ListValue{}
	for _, name := range names {
		group := &structpb.Struct{Fields: map[string]*structpb.Value{"name": structpb.NewStringValue(name)}}
		list.Values = append(list.Values, structpb.NewStructValue(group))
	}
	return structpb.NewListValue(list)
}

func (a *answer) with(fields map[string]*structpb.Value) *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{
		Response: a.headers,
		DynamicMetadata: &structpb.Struct{Fields: map[string]*structpb.Value{
			namespace: structpb.NewStructValue(&structpb.Struct{Fields: fields}),
		}},
	}
}

// message is an answer made of go-control-plane's types; what is the same for all requests is shared.
func (a *answer) message(bucket uint32) *extprocv3.ProcessingResponse {
	fields := a.fieldsWith(fmt.Sprintf("%08x", bucket))
	fields["bucket"] = structpb.NewNumberValue(float64(bucket))
	return a.with(fields)
}

// placeholder is no bucket, and its bytes stand nowhere else in an answer.
const placeholder = -1.8181818181e-222

// serialise keeps the bytes of an answer with a bucket, and where the bucket stands in them.
func (a *answer) serialise() error {
	fields := a.fieldsWith(zeroDigits)
	fields["bucket"] = structpb.NewNumberValue(placeholder)
	bytes, err := proto.Marshal(a.with(fields))
	if err != nil {
		return err
	}
	var wanted [8]byte
	putDouble(wanted[:], placeholder)
	a.bytes = bytes
	a.bucketAt = strings.Index(string(bytes), string(wanted[:]))
	a.digitsAt = strings.Index(string(bytes), zeroDigits+a.outcome)
	if a.bucketAt == -1 || a.digitsAt == -1 {
		return fmt.Errorf("the bucket stands nowhere in an answer of %d bytes", len(bytes))
	}
	return nil
}

// copied is a whole answer as bytes.
func (a *answer) copied(bucket uint32) []byte {
	bytes := append([]byte(nil), a.bytes...)
	putDouble(bytes[a.bucketAt:], float64(bucket))
	putDigits(bytes[a.digitsAt:], bucket)
	return bytes
}

func putDigits(into []byte, value uint32) {
	for index := range 8 {
		into[index] = "0123456789abcdef"[value>>(28-4*index)&15]
	}
}

func putDouble(into []byte, value float64) {
	bits := math.Float64bits(value)
	for index := range 8 {
		into[index] = byte(bits >> (8 * index))
	}
}
