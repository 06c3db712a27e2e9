// Decodes manifests by the types of Kubernetes and of the Prometheus operator, strictly: a field that is unknown or given twice is an error.
//
//	decode [-skip GROUP,...] FILE...
//
// Objects of skipped API groups are somebody else's to check. The last line says how many were decoded.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	sigs "sigs.k8s.io/yaml"
)

func main() {
	skip := flag.String("skip", "", "API groups that are not decoded")
	flag.Parse()
	if err := monitoring.AddToScheme(scheme.Scheme); err != nil {
		panic(err)
	}
	// Not by Split, whose "" is the group of Pods.
	skipped := strings.FieldsFunc(*skip, func(r rune) bool { return r == ',' })
	decoded, failed := 0, 0
	for _, path := range flag.Args() {
		count, errs := decodeFile(path, skipped)
		decoded += count
		for _, err := range errs {
			failed++
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
		}
	}
	fmt.Printf("%d decoded\n", decoded)
	if failed > 0 {
		os.Exit(1)
	}
}

func decodeFile(path string, skipped []string) (decoded int, errs []error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, []error{err}
	}
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return decoded, errs
		}
		if err != nil {
			return decoded, append(errs, err)
		}
		var object struct {
			v1.TypeMeta   `json:",inline"`
			v1.ObjectMeta `json:"metadata"`
		}
		if err := sigs.Unmarshal(document, &object); err != nil {
			errs = append(errs, err)
			continue
		}
		if object.Kind == "" || slices.Contains(skipped, object.GroupVersionKind().Group) {
			continue
		}
		if _, _, err := decoder.Decode(document, nil, nil); err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", object.Kind, object.Name, err))
			continue
		}
		decoded++
	}
}
