package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// pathFacts is what only upstream's OpenAPI documents tell about a resource.
type pathFacts struct {
	connects       map[string]bool // "pods/exec": requests are upgraded or passed on
	returnsDeleted map[string]bool // "pods": DELETE answers with the object, not with a Status
}

type operation struct {
	Action    string `json:"x-kubernetes-action"`
	Responses map[string]struct {
		Content map[string]struct {
			Schema struct {
				Ref string `json:"$ref"`
			} `json:"schema"`
		} `json:"content"`
	} `json:"responses"`
}

func readPaths(gv schema.GroupVersion) pathFacts {
	name := fmt.Sprintf("apis__%s__%s_openapi.json", gv.Group, gv.Version)
	prefix := "/apis/" + gv.String()
	if gv.Group == "" {
		name, prefix = "api__v1_openapi.json", "/api/v1"
	}
	directory := describeModule("k8s.io/kubernetes", "{{.Dir}}")
	data, err := os.ReadFile(filepath.Join(directory, "api", "openapi-spec", "v3", name))
	if err != nil {
		panic(err)
	}
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		panic(err)
	}
	facts := pathFacts{map[string]bool{}, map[string]bool{}}
	for path, item := range document.Paths {
		parts := strings.Split(strings.TrimPrefix(path, prefix+"/"), "/")
		if parts[0] == "namespaces" && len(parts) > 2 && parts[1] == "{namespace}" {
			parts = parts[2:]
		}
		for _, raw := range item {
			var o operation
			if json.Unmarshal(raw, &o) != nil {
				continue // The list of parameters, no operation.
			}
			if o.Action == "connect" && len(parts) > 2 {
				facts.connects[parts[0]+"/"+parts[2]] = true
			}
			answer := o.Responses["200"].Content["application/json"].Schema.Ref
			if o.Action == "delete" && !strings.HasSuffix(answer, ".meta.v1.Status") {
				facts.returnsDeleted[parts[0]] = true
			}
		}
	}
	return facts
}

type priority struct{ group, version int }

// priorities order groups and versions in discovery. They stand in composite literals of upstream's
// aggregator: {Group: "apps", Version: "v1"}: {Group: 17800, Version: 15}.
var priorities = readPriorities("cmd/kube-apiserver/app/aggregator.go",
	"pkg/controlplane/apiserver/aggregator.go")

func readPriorities(paths ...string) map[schema.GroupVersion]priority {
	found := map[schema.GroupVersion]priority{}
	directory := describeModule("k8s.io/kubernetes", "{{.Dir}}")
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(directory, path), nil, 0)
		if err != nil {
			panic(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			entry, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			key, value := literals(entry.Key), literals(entry.Value)
			if key["Version"] == "" || value["Version"] == "" {
				return true
			}
			group, _ := strconv.Atoi(value["Group"])
			version, _ := strconv.Atoi(value["Version"])
			found[schema.GroupVersion{Group: key["Group"], Version: key["Version"]}] =
				priority{group, version}
			return false
		})
	}
	return found
}

// literals reads the members of a composite literal that are strings or numbers.
func literals(e ast.Expr) map[string]string {
	found := map[string]string{}
	literal, ok := e.(*ast.CompositeLit)
	if !ok {
		return found
	}
	for _, element := range literal.Elts {
		member, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		name, isName := member.Key.(*ast.Ident)
		value, isLiteral := member.Value.(*ast.BasicLit)
		if isName && isLiteral {
			found[name.Name] = strings.Trim(value.Value, `"`)
		}
	}
	return found
}
