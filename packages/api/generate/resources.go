package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

type kindRef struct {
	Group   string `json:"group"`
	Version string `json:"version"`
	Kind    string `json:"kind"`
}

type subresource struct {
	Name    string   `json:"name"`
	Verbs   []string `json:"verbs"`
	Kind    *kindRef `json:"kind,omitempty"`
	Connect bool     `json:"connect,omitempty"`
}

type resourceInfo struct {
	Group              string        `json:"group"`
	Version            string        `json:"version"`
	Kind               string        `json:"kind"`
	Plural             string        `json:"plural"`
	Singular           string        `json:"singular"`
	Namespaced         bool          `json:"namespaced"`
	ShortNames         []string      `json:"shortNames,omitempty"`
	Categories         []string      `json:"categories,omitempty"`
	Verbs              []string      `json:"verbs"`
	Type               string        `json:"type"`
	ListType           string        `json:"listType,omitempty"`
	Subresources       []subresource `json:"subresources,omitempty"`
	Introduced         string        `json:"introduced,omitempty"`
	Deprecated         string        `json:"deprecated,omitempty"`
	Removed            string        `json:"removed,omitempty"`
	StorageVersionHash string        `json:"storageVersionHash,omitempty"`
	ReturnsDeleted     bool          `json:"returnsDeleted,omitempty"`
	GA                 bool          `json:"ga,omitempty"`
}

type groupInfo struct {
	Group      string   `json:"group"`
	Versions   []string `json:"versions"`
	Priority   int      `json:"priority,omitempty"`
	Priorities []int    `json:"versionPriorities,omitempty"`
}

func (g *groupInfo) add(version string) {
	g.Versions = append(g.Versions, version)
	if p, ok := priorities[schema.GroupVersion{Group: g.Group, Version: version}]; ok {
		g.Priority = p.group
		g.Priorities = append(g.Priorities, p.version)
	}
}

// readDiscovery reads a discovery document: upstream publishes them with each release, and its own
// tests hold them against the running server.
func readDiscovery(name string, into any) {
	path := filepath.Join(describeModule("k8s.io/kubernetes", "{{.Dir}}"), "api", "discovery", name)
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		panic(fmt.Errorf("%s: %w", path, err))
	}
}

func isAlpha(version string) bool { return strings.Contains(version, "alpha") }

// loadResources reads every served version that is not alpha, in upstream's order of groups.
func loadResources(scheme *runtime.Scheme) ([]groupInfo, []resourceInfo) {
	var named apidiscovery.APIGroupDiscoveryList
	readDiscovery("aggregated_v2.json", &named)
	resources := []resourceInfo{}
	groups := []groupInfo{}
	readLegacy := func(path string, gv schema.GroupVersion) {
		var list meta.APIResourceList
		readDiscovery(path, &list)
		resources = append(resources, fromList(list, gv, scheme)...)
	}
	readLegacy("api__v1.json", schema.GroupVersion{Version: "v1"})
	core := groupInfo{}
	core.add("v1")
	groups = append(groups, core)
	for _, group := range named.Items {
		info := groupInfo{Group: group.Name}
		for _, version := range group.Versions {
			if isAlpha(version.Version) {
				continue
			}
			info.add(version.Version)
			readLegacy(fmt.Sprintf("apis__%s__%s.json", group.Name, version.Version),
				schema.GroupVersion{Group: group.Name, Version: version.Version})
		}
		if len(info.Versions) > 0 {
			groups = append(groups, info)
		}
	}
	return groups, resources
}

func fromList(list meta.APIResourceList, gv schema.GroupVersion, scheme *runtime.Scheme) []resourceInfo {
	out := []resourceInfo{}
	facts := readPaths(gv)
	for _, r := range list.APIResources {
		plural, sub, isSub := strings.Cut(r.Name, "/")
		if !isSub {
			info := resourceInfo{Group: gv.Group, Version: gv.Version, Kind: r.Kind, Plural: plural,
				Singular: r.SingularName, Namespaced: r.Namespaced, ShortNames: r.ShortNames,
				Categories: r.Categories, Verbs: r.Verbs, StorageVersionHash: r.StorageVersionHash,
				GA:             !strings.Contains(gv.Version, "beta"),
				ReturnsDeleted: facts.returnsDeleted[plural]}
			describeKind(&info, gv, scheme)
			out = append(out, info)
			continue
		}
		for i := range out {
			if out[i].Plural != plural {
				continue
			}
			s := subresource{Name: sub, Verbs: r.Verbs, Connect: facts.connects[r.Name]}
			if r.Kind != out[i].Kind {
				s.Kind = &kindRef{r.Group, r.Version, r.Kind}
				if r.Version == "" {
					s.Kind.Group, s.Kind.Version = gv.Group, gv.Version
				}
			}
			out[i].Subresources = append(out[i].Subresources, s)
		}
	}
	return out
}

func describeKind(info *resourceInfo, gv schema.GroupVersion, scheme *runtime.Scheme) {
	known := scheme.KnownTypes(gv)
	goType, ok := known[info.Kind]
	if !ok {
		panic(fmt.Sprintf("%v %s is served and not in its Go package", gv, info.Kind))
	}
	info.Type = modelName(goType)
	if list, ok := known[info.Kind+"List"]; ok && contains(info.Verbs, "list") {
		info.ListType = modelName(list)
	}
	object, _ := scheme.New(gv.WithKind(info.Kind))
	if o, ok := object.(interface{ APILifecycleIntroduced() (int, int) }); ok {
		info.Introduced = release(o.APILifecycleIntroduced())
	}
	if o, ok := object.(interface{ APILifecycleDeprecated() (int, int) }); ok {
		info.Deprecated = release(o.APILifecycleDeprecated())
	}
	if o, ok := object.(interface{ APILifecycleRemoved() (int, int) }); ok {
		info.Removed = release(o.APILifecycleRemoved())
	}
}

func release(major, minor int) string { return fmt.Sprintf("%d.%d", major, minor) }

func contains(list []string, value string) bool {
	for _, v := range list {
		if v == value {
			return true
		}
	}
	return false
}
