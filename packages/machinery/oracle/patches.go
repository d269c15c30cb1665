package main

import (
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

func env(patch bool) []any {
	list := []any{}
	for _, name := range names(4) {
		item := tree{"name": name, "value": pick("1", "2", "3")}
		if patch && chance(6) {
			item = tree{"name": name, "$patch": "delete"}
		}
		if patch && chance(12) {
			delete(item, "name")
		}
		list = append(list, item)
	}
	if patch && chance(10) {
		list = append(list, tree{"$patch": "replace"})
	}
	return list
}

// order names the items of a list, and up to two others.
func order(list []any) []any {
	out, seen := []any{}, map[any]bool{}
	for _, item := range list {
		if _, isDirective := item.(tree)["$patch"]; isDirective || item.(tree)["name"] == nil {
			continue
		}
		name := item.(tree)["name"]
		seen[name] = true
		out = append(out, tree{"name": name})
	}
	for _, name := range names(2) {
		if !seen[name] {
			out = append(out, tree{"name": name})
		}
	}
	return out
}

func containers(patch bool) []any {
	list := []any{}
	for _, name := range names(3) {
		item := tree{"name": name, "image": pick("x", "y")}
		if chance(2) {
			item["env"] = env(patch)
		}
		if chance(3) {
			item["args"] = []any{pick("p", "q"), "z"}
		}
		if chance(3) {
			item["resources"] = tree{"limits": tree{"cpu": pick("1", "2")}}
			if patch && chance(2) {
				item["resources"] = nil
			}
		}
		if patch && chance(8) {
			item = tree{"name": name, "$patch": pick("delete", "replace")}
		}
		if entries, ok := item["env"].([]any); ok && patch && chance(4) {
			item["$setElementOrder/env"] = order(entries)
		}
		list = append(list, item)
	}
	return list
}

func volumes(patch bool) []any {
	list := []any{}
	for _, name := range names(3) {
		source, value := "emptyDir", tree{}
		if chance(2) {
			source, value = "hostPath", tree{"path": "/x"}
		}
		item := tree{"name": name, source: value}
		if patch && chance(3) {
			item["$retainKeys"] = []any{"name", source}
		}
		list = append(list, item)
	}
	return list
}

func pod(patch bool) tree {
	metadata := tree{"name": "p", "labels": tree{pick("l", "m"): pick("1", "2")}, "finalizers": anyNames(4)}
	spec := tree{"containers": containers(patch), "volumes": volumes(patch)}
	if patch {
		metadata["labels"] = []any{tree{"l": nil}, nil, tree{"$patch": "replace", "z": "1"}, tree{"l": "3"}}[random.Intn(4)]
		if chance(3) {
			delete(metadata, "finalizers")
			metadata["$deleteFromPrimitiveList/finalizers"] = anyNames(4)
		}
		if chance(4) {
			spec["$setElementOrder/containers"] = order(spec["containers"].([]any))
		}
	}
	return tree{"metadata": metadata, "spec": spec}
}

// strategicCase: [document, patch, result, error].
func strategicCase() any {
	document, patch := marshal(pod(false)), marshal(pod(true))
	out, err := strategicpatch.StrategicMergePatch([]byte(document), []byte(patch), corev1.Pod{})
	return []any{document, patch, string(out), text(err)}
}

var pointers = []string{"/a", "/b", "/l", "/l/0", "/l/1", "/l/-", "/l/-1", "/l/9", "/l/x", "/o/x", "/o/y/z", "/o",
	"/n", "/n/x", "/q~1r", "x", "/l/1/k"}

// jsonPatchCase: [document, patch, result, error].
func jsonPatchCase() any {
	document := marshal(tree{"a": 1, "b": "s", "l": []any{1, tree{"k": "v"}, 3},
		"o": tree{"x": 1, "y": tree{"z": []any{}}}, "n": nil, "q/r": 1})
	operations := []any{}
	for range 1 + random.Intn(3) {
		operation := tree{"op": pick("add", "remove", "replace", "move", "test", "copy", "add", "zap"),
			"path":  pointers[random.Intn(len(pointers))],
			"from":  pointers[random.Intn(len(pointers))],
			"value": []any{1, "s", nil, tree{"k": "v"}, []any{2}}[random.Intn(5)]}
		for _, member := range []string{"op", "path", "from", "value"} {
			if chance(20) {
				delete(operation, member)
			}
		}
		operations = append(operations, operation)
	}
	text6902 := marshal(operations)
	patch, err := jsonpatch.DecodePatch([]byte(text6902))
	if err != nil {
		panic(err)
	}
	out, err := patch.Apply([]byte(document))
	return []any{document, text6902, string(out), text(err)}
}

func mergeTree() tree {
	out := tree{}
	for _, name := range names(4) {
		out[name] = []any{1, nil, []any{1, nil}, tree{"a": pick("1", "2"), "b": nil}, tree{"x": tree{"y": nil}}}[random.Intn(5)]
	}
	return out
}

// mergeCase: [document, patch, result, error].
func mergeCase() any {
	document, patch := marshal(mergeTree()), marshal(mergeTree())
	out, err := jsonpatch.MergePatch([]byte(document), []byte(patch))
	return []any{document, patch, string(out), text(err)}
}
