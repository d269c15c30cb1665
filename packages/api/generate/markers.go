package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
)

// markers reads what only the comments of the Go sources say: the feature gate of a field.
type markers struct {
	directories map[string]string              // module path -> directory
	files       map[string]map[string][]string // Go package -> "Type.Field" -> gates
}

func newMarkers() markers {
	return markers{directories: map[string]string{}, files: map[string]map[string][]string{}}
}

// moduleDirectory asks the go command where it holds a module's sources.
func moduleDirectory(module string) string {
	out, err := exec.Command("go", "list", "-mod=mod", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		panic(fmt.Errorf("go list -m %s: %w", module, err))
	}
	return strings.TrimSpace(string(out))
}

func (m markers) gates(t reflect.Type, fieldName string) []string {
	if _, ok := m.files[t.PkgPath()]; !ok {
		m.files[t.PkgPath()] = m.read(t.PkgPath())
	}
	return m.files[t.PkgPath()][t.Name()+"."+fieldName]
}

func (m markers) read(path string) map[string][]string {
	parts := strings.SplitN(path, "/", 3)
	module := parts[0] + "/" + parts[1]
	if _, ok := m.directories[module]; !ok {
		m.directories[module] = moduleDirectory(module)
	}
	found := map[string][]string{}
	paths, _ := filepath.Glob(filepath.Join(m.directories[module], parts[2], "*types*.go"))
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			panic(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if structure, ok := spec.Type.(*ast.StructType); ok {
				collect(spec.Name.Name, structure, found)
			}
			return false
		})
	}
	return found
}

func collect(owner string, structure *ast.StructType, found map[string][]string) {
	for _, member := range structure.Fields.List {
		if member.Doc == nil || len(member.Names) == 0 {
			continue
		}
		for _, comment := range member.Doc.List {
			line := strings.TrimSpace(strings.TrimPrefix(comment.Text, "//"))
			if gate, ok := strings.CutPrefix(line, "+featureGate="); ok {
				key := owner + "." + member.Names[0].Name
				found[key] = append(found[key], gate)
			}
		}
	}
}
