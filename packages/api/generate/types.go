package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// field is one member of a struct. Its keys are those of the interface Field in src/table.ts.
type field struct {
	Type          string   `json:"type"`
	Num           int      `json:"num,omitempty"`
	Opt           bool     `json:"opt,omitempty"`
	OmitZero      bool     `json:"omitZero,omitempty"`
	Ptr           bool     `json:"ptr,omitempty"`
	Required      bool     `json:"required,omitempty"`
	Inline        bool     `json:"inline,omitempty"`
	Default       any      `json:"default,omitempty"`
	Enum          []string `json:"enum,omitempty"`
	PatchStrategy string   `json:"patchStrategy,omitempty"`
	PatchMergeKey string   `json:"patchMergeKey,omitempty"`
	ListType      string   `json:"listType,omitempty"`
	ListMapKeys   []string `json:"listMapKeys,omitempty"`
	MapType       string   `json:"mapType,omitempty"`
	Gates         []string `json:"gates,omitempty"`
}

type namedField struct {
	name string
	field
}

type typeInfo struct {
	name     string
	alias    string
	special  string
	typeMeta bool
	noProto  bool
	mapType  string
	unions   any
	fields   []namedField
}

// leaves are structs in Go, and one scalar in JSON.
var leaves = map[reflect.Type]string{
	reflect.TypeFor[resource.Quantity]():    "quantity",
	reflect.TypeFor[meta.Time]():            "time",
	reflect.TypeFor[meta.MicroTime]():       "microTime",
	reflect.TypeFor[meta.Duration]():        "duration",
	reflect.TypeFor[intstr.IntOrString]():   "intOrString",
	reflect.TypeFor[runtime.RawExtension](): "raw",
	reflect.TypeFor[meta.FieldsV1]():        "fieldsV1",
	reflect.TypeFor[apiextensions.JSON]():   "json",
	reflect.TypeFor[[]byte]():               "bytes",
}

// specials have a JSON form that differs from their fields, which hold in protobuf only.
var specials = map[reflect.Type]string{
	reflect.TypeFor[apiextensions.JSONSchemaPropsOrArray]():       "schemaOrArray",
	reflect.TypeFor[apiextensions.JSONSchemaPropsOrBool]():        "schemaOrBool",
	reflect.TypeFor[apiextensions.JSONSchemaPropsOrStringArray](): "schemaOrStrings",
}

var scalars = map[reflect.Kind]string{
	reflect.String: "string", reflect.Bool: "bool", reflect.Int32: "int32", reflect.Int64: "int64",
	reflect.Uint32: "uint32", reflect.Uint64: "uint64", reflect.Float64: "float64",
	reflect.Interface: "json",
}

type protoMessage interface{ Marshal() ([]byte, error) }

func isProto(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[protoMessage]())
}

func modelName(t reflect.Type) string {
	if named, ok := reflect.New(t).Interface().(interface{ OpenAPIModelName() string }); ok {
		return named.OpenAPIModelName()
	}
	host, rest, _ := strings.Cut(t.PkgPath(), "/")
	parts := strings.Split(host, ".")
	return parts[1] + "." + parts[0] + "." + strings.ReplaceAll(rest, "/", ".") + "." + t.Name()
}

type walker struct {
	types   map[string]*typeInfo
	schemas schemas
	markers markers
}

// typeRef gives the grammar's word for a Go type, and walks into it.
func (w *walker) typeRef(t reflect.Type) string {
	if leaf, ok := leaves[t]; ok {
		return leaf
	}
	if scalar, ok := scalars[t.Kind()]; ok {
		return scalar
	}
	switch t.Kind() {
	case reflect.Pointer:
		return w.typeRef(t.Elem())
	case reflect.Struct:
		w.visit(t)
		return "ref " + modelName(t)
	case reflect.Slice:
		if isProto(t) {
			w.visitAlias(t)
			return "ref " + modelName(t)
		}
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "[]" + w.typeRef(t.Elem())
	case reflect.Map:
		return "map " + w.typeRef(t.Elem())
	}
	panic(fmt.Sprintf("no word for the Go type %v", t))
}

// visitAlias records a named list that is a protobuf message of its own: {items = 1}.
func (w *walker) visitAlias(t reflect.Type) {
	name := modelName(t)
	alias := "[]" + w.typeRef(t.Elem())
	w.types[name] = &typeInfo{name: name, alias: alias,
		fields: []namedField{{"items", field{Type: alias, Num: 1}}}}
}

func (w *walker) visit(t reflect.Type) {
	name := modelName(t)
	if _, ok := w.types[name]; ok {
		return
	}
	info := &typeInfo{name: name, special: specials[t], noProto: !isProto(t)}
	w.types[name] = info
	w.schemas.describeType(info)
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type == reflect.TypeFor[meta.TypeMeta]() {
			info.typeMeta = true
			info.fields = append(info.fields,
				namedField{"kind", field{Type: "string", Opt: true}},
				namedField{"apiVersion", field{Type: "string", Opt: true}})
			continue
		}
		if nf, ok := w.member(name, t, f); ok {
			info.fields = append(info.fields, nf)
		}
	}
}

func (w *walker) member(owner string, t reflect.Type, f reflect.StructField) (namedField, bool) {
	jsonName, jsonOptions, _ := strings.Cut(f.Tag.Get("json"), ",")
	out := field{Type: w.typeRef(f.Type), Ptr: f.Type.Kind() == reflect.Pointer,
		PatchStrategy: f.Tag.Get("patchStrategy"), PatchMergeKey: f.Tag.Get("patchMergeKey")}
	protoName := ""
	if tag, ok := f.Tag.Lookup("protobuf"); ok && tag != "-" {
		parts := strings.Split(tag, ",")
		out.Num, _ = strconv.Atoi(parts[1])
		for _, part := range parts[2:] {
			if name, ok := strings.CutPrefix(part, "name="); ok {
				protoName = name
			}
		}
	}
	if jsonName == "-" && out.Num == 0 {
		return namedField{}, false
	}
	out.Inline = strings.Contains(jsonOptions, "inline") || (f.Anonymous && jsonName == "")
	if out.Inline {
		if protoName == "" {
			protoName = strings.ToLower(f.Name[:1]) + f.Name[1:]
		}
		// No JSON name starts with a plus sign: the key cannot meet a member's.
		return namedField{"+" + protoName, out}, true
	}
	if jsonName == "-" || jsonName == "" {
		jsonName = protoName // Members of a special type, which stand in protobuf only.
	}
	out.Opt = strings.Contains(jsonOptions, "omitempty")
	out.OmitZero = strings.Contains(jsonOptions, "omitzero")
	marked := w.markers.of(t, f.Name)
	out.Gates, out.ListType = marked.gates, marked.listType
	w.schemas.describeField(owner, jsonName, f.Type, &out)
	return namedField{jsonName, out}, true
}
