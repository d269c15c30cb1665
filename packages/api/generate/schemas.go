package main

import (
	"fmt"
	"reflect"
	"slices"
	"sort"

	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kubernetes/pkg/generated/openapi"
)

// schemas are upstream's generated OpenAPI definitions: what its comment markers came to.
type schemas map[string]spec.Schema

func loadSchemas() schemas {
	definitions := openapi.GetOpenAPIDefinitions(func(name string) spec.Ref {
		return spec.MustCreateRef("#/definitions/" + name)
	})
	out := schemas{}
	for name, definition := range definitions {
		out[name] = definition.Schema
		if v2, ok := definition.Schema.Extensions[common.ExtensionV2Schema].(spec.Schema); ok {
			out[name] = v2
		}
	}
	return out
}

func (s schemas) describeType(info *typeInfo) {
	schema, ok := s[info.name]
	if !ok {
		return
	}
	info.mapType, _ = schema.Extensions.GetString("x-kubernetes-map-type")
	info.unions = schema.Extensions["x-kubernetes-unions"]
}

func (s schemas) describeField(owner, name string, t reflect.Type, out *field) {
	schema, ok := s[owner]
	if !ok {
		return // Types of admission.k8s.io: upstream defines no schema for them.
	}
	property, ok := schema.Properties[name]
	if !ok {
		return
	}
	out.Required = slices.Contains(schema.Required, name)
	if property.Default != nil && !isImplied(property.Default, t, out.Opt) {
		out.Default = property.Default
	}
	if property.Default == nil && impliesDefault(t, out.Opt) {
		fmt.Printf("no implied default: %s.%s\n", owner, name)
	}
	enum := property.Enum
	if property.Items != nil && property.Items.Schema != nil && len(enum) == 0 {
		enum = property.Items.Schema.Enum
	}
	if values := property.AdditionalProperties; values != nil && values.Schema != nil {
		enum = append(enum, values.Schema.Enum...)
	}
	for _, value := range enum {
		out.Enum = append(out.Enum, fmt.Sprint(value))
	}
	sort.Strings(out.Enum)
	out.ListType, _ = property.Extensions.GetString("x-kubernetes-list-type")
	out.MapType, _ = property.Extensions.GetString("x-kubernetes-map-type")
	out.ListMapKeys, _ = property.Extensions.GetStringSlice("x-kubernetes-list-map-keys")
}

// impliesDefault: upstream's generator writes the zero value as default for a struct, and for a
// scalar that JSON never leaves out. OpenAPI derives those again; the table leaves them out.
func impliesDefault(t reflect.Type, omitEmpty bool) bool {
	switch t.Kind() {
	case reflect.Struct:
		return leaves[t] == "" && specials[t] == "" // Those have a schema of their own.
	case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64, reflect.Float64:
		return !omitEmpty
	}
	return false
}

func isImplied(value any, t reflect.Type, omitEmpty bool) bool {
	if !impliesDefault(t, omitEmpty) {
		return false
	}
	if m, ok := value.(map[string]interface{}); ok {
		return len(m) == 0
	}
	return reflect.ValueOf(value).IsZero()
}
