// Command cel says what Kubernetes' CEL environment makes of expressions.
//
//	go run . functions   the declarations of every function, as JSON
//	go run . record      one answer a case of the corpus on stdin, as JSON lines
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	schemacel "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/version"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/library"
)

type overload struct {
	ID     string   `json:"id"`
	Args   []string `json:"args"`
	Result string   `json:"result"`
	Member bool     `json:"member,omitempty"`
}

func functions() {
	env := base(nil)
	jsonPatch, err := env.Extend(library.JSONPatch())
	if err != nil {
		panic(err)
	}
	out := map[string][]overload{}
	for name, fn := range jsonPatch.Functions() {
		for _, o := range fn.OverloadDecls() {
			entry := overload{ID: o.ID(), Args: []string{}, Result: o.ResultType().String(), Member: o.IsMemberFunction()}
			for _, a := range o.ArgTypes() {
				entry.Args = append(entry.Args, a.String())
			}
			out[name] = append(out[name], entry)
		}
	}
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", " ")
	if err := enc.Encode(out); err != nil {
		panic(err)
	}
}

// base is the environment of 1.36, with self (and oldSelf) as the schema says.
func base(self *apiservercel.DeclType) *cel.Env {
	set := environment.MustBaseEnvSet(version.MajorMinor(1, 36))
	if self != nil {
		var err error
		set, err = set.Extend(environment.VersionedOptions{
			IntroducedVersion: version.MajorMinor(1, 0),
			EnvOptions: []cel.EnvOption{
				cel.Variable("self", self.CelType()),
				cel.Variable("dyn1", cel.DynType),
				cel.Variable("authorizer", library.AuthorizerType),
			},
			DeclTypes: []*apiservercel.DeclType{self},
		})
		if err != nil {
			panic(err)
		}
	}
	env, err := set.Env(environment.StoredExpressions)
	if err != nil {
		panic(err)
	}
	return env
}

type input struct {
	Schema apiextensionsv1.JSONSchemaProps `json:"schema"`
	Self   any                             `json:"self"`
	Cases  []string                        `json:"cases"`
}

type answer struct {
	Expression string  `json:"expression"`
	Error      string  `json:"error,omitempty"`
	Type       string  `json:"type,omitempty"`
	Min        *uint64 `json:"min,omitempty"`
	Max        *uint64 `json:"max,omitempty"`
	Value      any     `json:"value,omitempty"`
	Failure    string  `json:"failure,omitempty"`
	Cost       *uint64 `json:"cost,omitempty"`
}

func show(v ref.Val) any {
	switch t := v.(type) {
	case types.Bool, types.String, types.Double:
		if d, ok := t.(types.Double); ok {
			return map[string]any{"double": fmt.Sprint(float64(d))}
		}
		return v.Value()
	case types.Int:
		return map[string]any{"int": fmt.Sprint(int64(t))}
	case types.Uint:
		return map[string]any{"uint": fmt.Sprint(uint64(t))}
	case types.Bytes:
		return map[string]any{"bytes": []byte(t)}
	case types.Null:
		return map[string]any{"null": true}
	case types.Timestamp, types.Duration:
		return map[string]any{v.Type().TypeName(): string(v.ConvertToType(types.StringType).(types.String))}
	case *types.Optional:
		if !t.HasValue() {
			return map[string]any{"optional": nil}
		}
		return map[string]any{"optional": show(t.GetValue())}
	case traits.Lister:
		out := []any{}
		for it := t.Iterator(); it.HasNext() == types.True; {
			out = append(out, show(it.Next()))
		}
		return out
	case traits.Mapper:
		entries := [][]any{}
		for it := t.Iterator(); it.HasNext() == types.True; {
			k := it.Next()
			entries = append(entries, []any{show(k), show(t.Get(k))})
		}
		sort.Slice(entries, func(i, j int) bool { return fmt.Sprint(entries[i][0]) < fmt.Sprint(entries[j][0]) })
		return map[string]any{"map": entries}
	}
	return map[string]any{"other": v.Type().TypeName()}
}

func record() {
	var in input
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	// As a server reads an object: whole numbers are integers.
	if err := utiljson.Unmarshal(text, &in); err != nil {
		panic(err)
	}
	whole := map[string]any{}
	if err := utiljson.Unmarshal(text, &whole); err != nil {
		panic(err)
	}
	in.Self = whole["self"]
	internal := apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&in.Schema, &internal, nil); err != nil {
		panic(err)
	}
	structural, err := structuralschema.NewStructural(&internal)
	if err != nil {
		panic(err)
	}
	decl := model.SchemaDeclType(structural, true).MaybeAssignTypeName("selfType")
	env := base(decl)
	self := schemacel.UnstructuredToVal(in.Self, structural)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for _, expression := range in.Cases {
		one := answer{Expression: expression}
		evaluate(env, decl, self, in.Self, &one)
		if err := out.Encode(one); err != nil {
			panic(err)
		}
	}
}

func evaluate(env *cel.Env, decl *apiservercel.DeclType, self ref.Val, raw any, one *answer) {
	ast, issues := env.Compile(one.Expression)
	if issues != nil && issues.Err() != nil {
		one.Error = issues.String()
		return
	}
	one.Type = ast.OutputType().String()
	estimator := &library.CostEstimator{SizeEstimator: &sizes{decl}}
	cost, err := env.EstimateCost(ast, estimator)
	if err != nil {
		panic(err)
	}
	one.Min, one.Max = &cost.Min, &cost.Max
	program, err := env.Program(ast, cel.CostLimit(1000000))
	if err != nil {
		one.Failure = "program: " + err.Error()
		return
	}
	value, details, err := program.Eval(map[string]any{"self": self, "dyn1": raw, "authorizer": nil})
	if err != nil {
		one.Failure = err.Error()
	} else {
		one.Value = show(value)
	}
	if details != nil {
		one.Cost = details.ActualCost()
	}
}

func main() {
	switch os.Args[1] {
	case "functions":
		functions()
	case "record":
		record()
	}
}
