package main

import (
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
)

func configuredContainers() []any {
	list := []any{}
	for _, name := range names(3) {
		item := tree{"name": name}
		if chance(2) {
			item["image"] = pick("i", "j")
		}
		if entries := env(false); chance(2) && len(entries) > 0 {
			item["env"] = entries
		}
		if chance(3) {
			port := tree{"containerPort": 80 + random.Intn(2)}
			if chance(2) {
				port["protocol"] = "TCP"
			}
			item["ports"] = []any{port}
		}
		if chance(3) {
			item["args"] = []any{pick("p", "q")}
		}
		if chance(3) {
			item["resources"] = tree{"limits": tree{"cpu": pick("1", "2")}}
		}
		list = append(list, item)
	}
	return list
}

// deployment is a configuration: whole, or with parts left out.
func deployment(whole bool) tree {
	spec := tree{}
	if whole || chance(2) {
		spec["replicas"] = 1 + random.Intn(3)
	}
	if whole || chance(2) {
		spec["selector"] = tree{"matchLabels": tree{"app": pick("x", "y")}}
	}
	if whole || chance(2) {
		spec["template"] = tree{
			"metadata": tree{"labels": tree{pick("l", "m"): pick("1", "2")}},
			"spec":     tree{"containers": configuredContainers()},
		}
	}
	if chance(4) {
		spec["strategy"] = tree{"type": pick("Recreate", "RollingUpdate")}
	}
	if !whole && chance(25) {
		spec["bogus"] = 1
	}
	metadata := tree{"name": "d", "namespace": "ns"}
	if chance(2) {
		metadata["labels"] = tree{pick("a", "b"): pick("1", "2")}
	}
	if list := anyNames(3); len(list) > 0 {
		metadata["finalizers"] = list
	}
	return tree{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
}

var kind = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
var converter = applyconfigurations.NewTypeConverter(scheme.Scheme)

func asDeployment(config tree) *appsv1.Deployment {
	object := &appsv1.Deployment{}
	if err := json.Unmarshal([]byte(marshal(config)), object); err != nil {
		panic(err)
	}
	return object
}

// applyCase: six steps on one object, each {op, manager, force, config, out, err}; times are taken out.
func applyCase() any {
	manager, err := managedfields.NewDefaultFieldManager(converter, scheme.Scheme, scheme.Scheme, scheme.Scheme,
		kind, kind.GroupVersion(), "", nil)
	if err != nil {
		panic(err)
	}
	live := &appsv1.Deployment{}
	live.SetGroupVersionKind(kind)
	steps := []any{}
	for range 6 {
		step := tree{"op": pick("apply", "apply", "update"), "manager": pick("m1", "m2", "kubectl"), "force": chance(2)}
		var out runtime.Object
		var err error
		if step["op"] == "apply" {
			config := deployment(false)
			step["config"] = config
			out, err = manager.Apply(live.DeepCopy(), &unstructured.Unstructured{Object: config},
				step["manager"].(string), step["force"].(bool))
		} else {
			config := deployment(true)
			step["config"] = config
			out, err = manager.Update(live.DeepCopy(), asDeployment(config), step["manager"].(string))
		}
		step["err"] = text(err)
		if err == nil {
			live = out.(*appsv1.Deployment)
			live.SetGroupVersionKind(kind)
			entries := live.GetManagedFields()
			for i := range entries {
				entries[i].Time = nil
			}
			live.SetManagedFields(entries)
			step["out"] = json.RawMessage(marshal(live))
		}
		steps = append(steps, step)
	}
	return steps
}
