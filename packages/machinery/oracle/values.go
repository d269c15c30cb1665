package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

var suffixes = []string{"", "", "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti",
	"Pi", "Ei", "e3", "E2", "e-4", "e12", "e1", "i", "K", "Mx", "e+3"}

func digits(usual, rare int) string {
	n := random.Intn(usual)
	if chance(8) {
		n = random.Intn(rare)
	}
	out := ""
	for range n {
		if chance(4) {
			out += "0"
		} else {
			out += fmt.Sprint(random.Intn(10))
		}
	}
	return out
}

func quantityText() string {
	out := pick("", "", "", "", "-", "+") + digits(6, 25)
	if chance(3) {
		out += "." + digits(5, 15)
	}
	return out + suffixes[random.Intn(len(suffixes))]
}

// quantityCase: [a, b, error of b] or [a, b, "", text, format, a cmp b, a + b, a - b].
func quantityCase() any {
	var a resource.Quantity
	var left string
	for err := error(fmt.Errorf("none yet")); err != nil; {
		left = quantityText()
		a, err = resource.ParseQuantity(left)
	}
	right := quantityText()
	b, err := resource.ParseQuantity(right)
	if err != nil {
		return []any{left, right, text(err)}
	}
	sum, difference := a.DeepCopy(), a.DeepCopy()
	sum.Add(b)
	difference.Sub(b)
	return []any{left, right, "", b.String(), string(b.Format), a.Cmp(b), sum.String(), difference.String()}
}

var labelSets = []map[string]string{{}, {"app": "x"}, {"app": "5", "a": "7"}, {"b": "x", "a": "x", "tier": "6"}}

func labelText() string {
	out := ""
	if chance(2) {
		tokens := []string{"app", "a", "tier/x", "in", "notin", "=", "==", "!=", "!", "(", ")", ",", ",", ",", ">",
			"<", "5", "7", " ", " ", "x@", "b", "example.com/a", "-a", "=>"}
		for range 1 + random.Intn(9) {
			out += tokens[random.Intn(len(tokens))] + pick("", "", " ")
		}
		return out
	}
	for i := range 1 + random.Intn(3) {
		if i > 0 {
			out += ","
		}
		key := pick("app", "a", "b", "tier")
		out += pick(key, "!"+key, key+"=x", key+"!=5", key+" in (x,5)", key+" notin (x, 7,)", key+">5", key+"<7")
	}
	return out
}

// labelCase: [selector, error, text, matches of labelSets].
func labelCase() any {
	input := labelText()
	selector, err := labels.Parse(input)
	if err != nil {
		return []any{input, text(err), "", nil}
	}
	matches := []bool{}
	for _, set := range labelSets {
		matches = append(matches, selector.Matches(labels.Set(set)))
	}
	return []any{input, "", selector.String(), matches}
}

// fieldCase: [selector, error, text, matches of {} and {metadata.name: x}].
func fieldCase() any {
	input := ""
	for range 1 + random.Intn(7) {
		input += pick("metadata.name", "=", "==", "!=", ",", "x", `\`, `\,`, "y", `\=`, "status.phase")
	}
	selector, err := fields.ParseSelector(input)
	if err != nil {
		return []any{input, text(err), "", nil}
	}
	matches := []bool{selector.Matches(fields.Set{}), selector.Matches(fields.Set{"metadata.name": "x"})}
	return []any{input, "", selector.String(), matches}
}
