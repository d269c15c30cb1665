// Command generate writes the facts of upstream's published Go API modules as JSON: one file a
// group and version for types, one file for resources. No prose is written.
//
//	go run . ../src/generated/table
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
)

func main() {
	directory := os.Args[1]
	scheme := runtime.NewScheme()
	w := &walker{types: map[string]*typeInfo{}, schemas: loadSchemas(), markers: newMarkers()}
	kinds := map[string]string{}
	names, hidden, visited := newGoNames(), internalScheme(), map[reflect.Type]bool{}
	for _, p := range packages {
		if err := p.add(scheme); err != nil {
			panic(err)
		}
		for kind, t := range scheme.KnownTypes(p.gv) {
			w.visit(t)
			names.nameTypes(t, visited)
			kinds[p.gv.String()+" "+kind] = modelName(t)
		}
	}
	for _, p := range packages {
		names.addInternal(p, scheme.KnownTypes(p.gv), hidden)
	}
	for _, value := range extraTypes {
		w.visit(reflect.TypeOf(value))
	}
	for file, data := range names.files() {
		write(filepath.Join(directory, "go-names", file+".json"), data)
	}
	for _, kind := range []string{"Status", "APIGroup", "APIGroupList", "APIResourceList",
		"APIVersions", "List", "WatchEvent", "DeleteOptions", "CreateOptions", "UpdateOptions",
		"PatchOptions", "GetOptions", "ListOptions"} {
		kinds["v1 "+kind] = "io.k8s.apimachinery.pkg.apis.meta.v1." + kind
	}
	for _, kind := range []string{"Table", "TableOptions", "PartialObjectMetadata",
		"PartialObjectMetadataList"} {
		kinds["meta.k8s.io/v1 "+kind] = "io.k8s.apimachinery.pkg.apis.meta.v1." + kind
	}
	groups, resources := loadResources(scheme)
	write(filepath.Join(directory, "resources.json"), encodeResources(groups, resources, kinds))
	for file, infos := range byPackage(w.types) {
		write(filepath.Join(directory, "types", file+".json"), encodeTypes(infos))
	}
}

// byPackage groups types by the part of the name before the type's own.
func byPackage(types map[string]*typeInfo) map[string][]*typeInfo {
	out := map[string][]*typeInfo{}
	for name, info := range types {
		file := name[:strings.LastIndex(name, ".")]
		out[file] = append(out[file], info)
	}
	for _, infos := range out {
		sort.Slice(infos, func(i, j int) bool { return infos[i].name < infos[j].name })
	}
	return out
}

func write(path string, data []byte) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		panic(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		panic(err)
	}
}

func encode(value any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return strings.TrimSpace(out.String())
}

// encodeTypes writes one field a line, in Go's order: JSON output and diffs follow it.
func encodeTypes(infos []*typeInfo) []byte {
	var out bytes.Buffer
	out.WriteString("{\n")
	for i, info := range infos {
		fmt.Fprintf(&out, "%s:{", encode(info.name))
		for _, attribute := range []struct {
			name  string
			value any
			set   bool
		}{
			{"alias", info.alias, info.alias != ""}, {"special", info.special, info.special != ""},
			{"typeMeta", true, info.typeMeta}, {"proto", false, info.noProto},
			{"mapType", info.mapType, info.mapType != ""}, {"unions", info.unions, info.unions != nil},
		} {
			if attribute.set {
				fmt.Fprintf(&out, "%s:%s,", encode(attribute.name), encode(attribute.value))
			}
		}
		out.WriteString("\"fields\":{")
		for j, f := range info.fields {
			if j > 0 {
				out.WriteString(",")
			}
			fmt.Fprintf(&out, "\n %s:%s", encode(f.name), encode(f.field))
		}
		out.WriteString("}}")
		if i < len(infos)-1 {
			out.WriteString(",")
		}
		out.WriteString("\n")
	}
	out.WriteString("}\n")
	return out.Bytes()
}

func encodeResources(groups []groupInfo, resources []resourceInfo, kinds map[string]string) []byte {
	var out bytes.Buffer
	version := describeModule("k8s.io/kubernetes", "{{.Version}}")
	fmt.Fprintf(&out, "{\"kubernetes\":%s,\n\"groups\":%s,\n\"resources\":[\n",
		encode(version), encode(groups))
	for i, r := range resources {
		if i > 0 {
			out.WriteString(",\n")
		}
		out.WriteString(encode(r))
	}
	out.WriteString("],\n\"kinds\":{\n")
	names := []string{}
	for name := range kinds {
		names = append(names, name)
	}
	sort.Strings(names)
	for i, name := range names {
		if i > 0 {
			out.WriteString(",\n")
		}
		fmt.Fprintf(&out, "%s:%s", encode(name), encode(kinds[name]))
	}
	out.WriteString("}}\n")
	return out.Bytes()
}
