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

// markers reads what only the comments of the Go sources say: the feature gates of a field, and the
// list type where there is no schema that says it.
type markers struct {
	directories map[string]string            // module path -> directory
	files       map[string]map[string]marked // Go package -> "Type.Field"
}

type marked struct {
	gates    []string
	listType string
}

func newMarkers() markers {
	return markers{directories: map[string]string{}, files: map[string]map[string]marked{}}
}

// describeModule asks the go command for a module's {{.Dir}} (its sources) or {{.Version}}.
func describeModule(module, format string) string {
	out, err := exec.Command("go", "list", "-m", "-f", format, module).Output()
	if err != nil {
		panic(fmt.Errorf("go list -m %s: %w", module, err))
	}
	return strings.TrimSpace(string(out))
}

func (m markers) of(t reflect.Type, fieldName string) marked {
	if _, ok := m.files[t.PkgPath()]; !ok {
		m.files[t.PkgPath()] = m.read(t.PkgPath())
	}
	return m.files[t.PkgPath()][t.Name()+"."+fieldName]
}

func (m markers) read(path string) map[string]marked {
	parts := strings.SplitN(path, "/", 3)
	module := parts[0] + "/" + parts[1]
	if _, ok := m.directories[module]; !ok {
		m.directories[module] = describeModule(module, "{{.Dir}}")
	}
	found := map[string]marked{}
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

func collect(owner string, structure *ast.StructType, found map[string]marked) {
	for _, member := range structure.Fields.List {
		if member.Doc == nil || len(member.Names) == 0 {
			continue
		}
		var out marked
		for _, comment := range member.Doc.List {
			line := strings.TrimSpace(strings.TrimPrefix(comment.Text, "//"))
			if gate, ok := strings.CutPrefix(line, "+featureGate="); ok {
				out.gates = append(out.gates, strings.Split(gate, ",")...)
			} else if listType, ok := strings.CutPrefix(line, "+listType="); ok {
				out.listType = listType
			}
		}
		found[owner+"."+member.Names[0].Name] = out
	}
}
