// The oracle runs upstream's own libraries on random input and prints, one JSON array a line, what went in and what
// came out. test/oracle.test.ts runs ours on the same input. The seed is fixed: the same cases each time.
//
//	go run . quantity 20000 | labels 10000 | fields 4000 | strategic 10000 | jsonpatch 10000 | merge 5000 | apply 200
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"strconv"
)

type tree = map[string]any

var random = rand.New(rand.NewSource(7))

func pick(choices ...string) string { return choices[random.Intn(len(choices))] }

// chance is true once in n times.
func chance(n int) bool { return random.Intn(n) == 0 }

// names gives up to most of a, b, c, d, shuffled.
func names(most int) []string {
	all := []string{"a", "b", "c", "d"}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:random.Intn(most+1)]
}

func anyNames(most int) []any {
	list := []any{}
	for _, name := range names(most) {
		list = append(list, name)
	}
	return list
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func marshal(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func main() {
	modes := map[string]func() any{
		"quantity":  quantityCase,
		"labels":    labelCase,
		"fields":    fieldCase,
		"strategic": strategicCase,
		"jsonpatch": jsonPatchCase,
		"merge":     mergeCase,
		"apply":     applyCase,
	}
	if len(os.Args) != 3 || modes[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: oracle MODE COUNT")
		os.Exit(2)
	}
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for range count {
		fmt.Fprintln(out, marshal(modes[os.Args[1]]()))
	}
}
