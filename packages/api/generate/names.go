package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strings"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// goNames is what error texts say and JSON does not: the Go types of members that are named
// scalars, and the internal structs whose members validation prints.
type goNames struct {
	// Versioned type → JSON name → "v1.PullPolicy", "[]v1.Capability".
	types map[string]map[string]string
	// Versioned type → members of its internal counterpart, in order:
	// [Go name, JSON name in the versioned type, word].
	internal map[string][][3]string
	seen     map[[2]reflect.Type]bool
}

func newGoNames() *goNames {
	return &goNames{types: map[string]map[string]string{}, internal: map[string][][3]string{},
		seen: map[[2]reflect.Type]bool{}}
}

// nameTypes notes the members of a versioned type whose Go type JSON's kind does not tell.
func (g *goNames) nameTypes(t reflect.Type, visited map[reflect.Type]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || visited[t] || leaves[t] != "" {
		return
	}
	visited[t] = true
	for i := range t.NumField() {
		f := t.Field(i)
		g.nameTypes(f.Type, visited)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		if said := strings.TrimPrefix(f.Type.String(), "*"); isNamed(f.Type) {
			model := modelName(t)
			if g.types[model] == nil {
				g.types[model] = map[string]string{}
			}
			g.types[model][name] = said
		}
	}
}

// isNamed says whether a scalar, list or map has a name of its own somewhere in its type.
func isNamed(t reflect.Type) bool {
	if leaves[t] != "" {
		return false
	}
	switch t.Kind() {
	case reflect.Pointer:
		return isNamed(t.Elem())
	case reflect.Slice, reflect.Map:
		if t.Name() != "" {
			return true
		}
		return isNamed(t.Elem()) || t.Kind() == reflect.Map && t.Key().Name() != "string"
	case reflect.Struct, reflect.Interface:
		return false
	}
	return t.PkgPath() != ""
}

// pair notes the members of an internal struct beside those of the versioned one.
func (g *goNames) pair(versioned, internal reflect.Type) {
	if g.seen[[2]reflect.Type{versioned, internal}] {
		return
	}
	g.seen[[2]reflect.Type{versioned, internal}] = true
	name := modelName(versioned)
	if _, ok := g.internal[name]; ok {
		return
	}
	g.internal[name] = nil
	g.internal[name] = g.members(versioned, internal)
}

func (g *goNames) members(versioned, internal reflect.Type) [][3]string {
	known := map[string]reflect.StructField{}
	byGoName(versioned, known)
	out := [][3]string{}
	for i := range internal.NumField() {
		f := internal.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == "-" || !f.IsExported() {
			continue
		}
		if f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct {
			if f.Type == reflect.TypeFor[meta.TypeMeta]() {
				continue
			}
			if f.Type == reflect.TypeFor[meta.ObjectMeta]() {
				out = append(out, [3]string{"ObjectMeta", "metadata", "meta"})
				continue
			}
			out = append(out, g.members(versioned, f.Type)...)
			continue
		}
		goName := f.Name
		if tag != "" {
			goName = tag
		}
		twin, ok := known[f.Name]
		if !ok {
			zero, _ := json.Marshal(reflect.Zero(f.Type).Interface())
			out = append(out, [3]string{goName, "", "=" + string(zero)})
			continue
		}
		jsonName, _, _ := strings.Cut(twin.Tag.Get("json"), ",")
		out = append(out, [3]string{goName, jsonName, g.word(twin.Type, f.Type)})
	}
	return out
}

func byGoName(t reflect.Type, known map[string]reflect.StructField) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[meta.ObjectMeta]() {
			byGoName(f.Type, known)
		}
		known[f.Name] = f
	}
}

func (g *goNames) word(versioned, internal reflect.Type) string {
	if leaf, ok := leaves[internal]; ok {
		return leaf
	}
	if versioned.Kind() == reflect.Pointer && internal.Kind() != reflect.Pointer {
		versioned = versioned.Elem()
	}
	if internal.Kind() == reflect.Pointer {
		if versioned.Kind() == reflect.Pointer {
			versioned = versioned.Elem()
		}
		return "*" + g.word(versioned, internal.Elem())
	}
	switch internal.Kind() {
	case reflect.Slice:
		if versioned.Kind() != reflect.Slice {
			return "=null"
		}
		return "[]" + g.word(versioned.Elem(), internal.Elem())
	case reflect.Map:
		if versioned.Kind() != reflect.Map {
			return "=null"
		}
		return "map " + g.word(versioned.Elem(), internal.Elem())
	case reflect.Struct:
		if strings.HasSuffix(internal.PkgPath(), "apimachinery/pkg/apis/meta/v1") {
			return "meta"
		}
		if versioned.Kind() != reflect.Struct {
			return "json"
		}
		g.pair(versioned, internal)
		return "ref " + modelName(versioned)
	}
	if scalar, ok := scalars[internal.Kind()]; ok {
		return scalar
	}
	return "int64"
}

// addInternal pairs every kind of a package with its internal type.
func (g *goNames) addInternal(p goPackage, kinds map[string]reflect.Type, internal *runtime.Scheme) {
	for kind, t := range kinds {
		gvk := p.gv.WithKind(kind)
		gvk.Version = runtime.APIVersionInternal
		if hidden, ok := internal.AllKnownTypes()[gvk]; ok && hidden.PkgPath() != t.PkgPath() {
			g.pair(t, hidden)
		}
	}
}

// files are the two tables by the package of the versioned type.
func (g *goNames) files() map[string][]byte {
	packages := map[string]bool{}
	for name := range g.types {
		packages[packageOf(name)] = true
	}
	for name := range g.internal {
		packages[packageOf(name)] = true
	}
	out := map[string][]byte{}
	for p := range packages {
		var file bytes.Buffer
		file.WriteString("{\"types\":{\n")
		writeSorted(&file, g.types, p)
		file.WriteString("},\n\"internal\":{\n")
		writeSorted(&file, g.internal, p)
		file.WriteString("}}\n")
		out[p] = file.Bytes()
	}
	return out
}

func packageOf(name string) string {
	return name[:strings.LastIndex(name, ".")]
}

func writeSorted[T any](out *bytes.Buffer, entries map[string]T, p string) {
	names := []string{}
	for name := range entries {
		if packageOf(name) == p && !strings.HasSuffix(name, "List") {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for i, name := range names {
		if i > 0 {
			out.WriteString(",\n")
		}
		fmt.Fprintf(out, "%s:%s", encode(name), encode(entries[name]))
	}
	out.WriteString("\n")
}
