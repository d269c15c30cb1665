// Command generate writes src/generated/*.ts: the facts of upstream's .proto files (names, numbers,
// types) as compact tables, and the TypeScript types that go with them. It reads the descriptors
// that the Go modules in go.mod register, so following a new release is: change a version, run it.
//
//	cd packages/rpc/generate && GOLANG_PROTOBUF_REGISTRATION_CONFLICT=ignore go run . ../src/generated
//
// (several modules call a file api.proto: harmless here, since names are looked up by package).
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strings"

	_ "github.com/container-storage-interface/spec/lib/go/csi"
	_ "go.etcd.io/etcd/api/v3/etcdserverpb"
	_ "go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb"
	_ "go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
	_ "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	_ "google.golang.org/protobuf/types/known/timestamppb"
	_ "google.golang.org/protobuf/types/known/wrapperspb"
	_ "k8s.io/cri-api/pkg/apis/runtime/v1"
	_ "k8s.io/kms/apis/v2"
	_ "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// A target is one generated file: every message, enum and service of its proto packages.
type target struct {
	file     string
	about    string
	packages []string
	only     []string // when set, only these messages of the packages (well-known types)
}

var targets = []target{
	{file: "etcd", about: "etcd v3: KV, Watch, Lease, Cluster, Maintenance, Auth, Lock, Election",
		packages: []string{"mvccpb", "authpb", "etcdserverpb", "v3lockpb", "v3electionpb"}},
	{file: "cri", about: "CRI v1: RuntimeService, ImageService", packages: []string{"runtime.v1"}},
	{file: "csi", about: "CSI v1: Identity, Controller, Node, GroupController",
		packages: []string{"csi.v1", "google.protobuf"},
		only:     []string{"Timestamp", "BoolValue", "Int32Value", "Int64Value", "StringValue"}},
	{file: "plugin-registration", about: "kubelet plugin registration v1: Registration",
		packages: []string{"pluginregistration"}},
	{file: "kms", about: "KMS v2: KeyManagementService", packages: []string{"v2"}},
	{file: "health", about: "gRPC health checking v1: Health", packages: []string{"grpc.health.v1"}},
}

// These 64-bit fields are identities, not amounts: any bit pattern is possible, so they are bigint.
var identities = map[string]bool{}

func init() {
	for _, name := range strings.Fields(`
		mvccpb.KeyValue.lease
		etcdserverpb.ResponseHeader.cluster_id etcdserverpb.ResponseHeader.member_id
		etcdserverpb.PutRequest.lease etcdserverpb.Compare.lease
		etcdserverpb.LeaseGrantRequest.ID etcdserverpb.LeaseGrantResponse.ID
		etcdserverpb.LeaseRevokeRequest.ID etcdserverpb.LeaseCheckpoint.ID
		etcdserverpb.LeaseKeepAliveRequest.ID etcdserverpb.LeaseKeepAliveResponse.ID
		etcdserverpb.LeaseTimeToLiveRequest.ID etcdserverpb.LeaseTimeToLiveResponse.ID
		etcdserverpb.LeaseStatus.ID
		etcdserverpb.Member.ID etcdserverpb.MemberRemoveRequest.ID etcdserverpb.MemberUpdateRequest.ID
		etcdserverpb.MemberPromoteRequest.ID etcdserverpb.MoveLeaderRequest.targetID
		etcdserverpb.AlarmRequest.memberID etcdserverpb.AlarmMember.memberID
		etcdserverpb.StatusResponse.leader
		v3lockpb.LockRequest.lease v3electionpb.CampaignRequest.lease v3electionpb.LeaderKey.lease`) {
		identities[name] = true
	}
}

func main() {
	out := os.Args[1]
	seen := map[string]bool{}
	for _, t := range targets {
		text := generate(t, seen)
		if err := os.WriteFile(filepath.Join(out, t.file+".ts"), []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	for name := range identities {
		if !seen[name] {
			log.Fatalf("no field %s: upstream renamed it?", name)
		}
	}
}

// owned lists the file's messages, enums and services, nested ones too, in a stable order.
type owned struct {
	messages []protoreflect.MessageDescriptor
	enums    []protoreflect.EnumDescriptor
	services []protoreflect.ServiceDescriptor
}

func collect(t target) owned {
	var o owned
	var message func(m protoreflect.MessageDescriptor)
	message = func(m protoreflect.MessageDescriptor) {
		if m.IsMapEntry() {
			return
		}
		o.messages = append(o.messages, m)
		for i := 0; i < m.Enums().Len(); i++ {
			o.enums = append(o.enums, m.Enums().Get(i))
		}
		for i := 0; i < m.Messages().Len(); i++ {
			message(m.Messages().Get(i))
		}
	}
	for _, pkg := range t.packages {
		protoregistry.GlobalFiles.RangeFilesByPackage(protoreflect.FullName(pkg), func(f protoreflect.FileDescriptor) bool {
			if strings.Contains(f.Path(), "raft_internal") {
				return true // What etcd's members write into their own log: no service speaks it.
			}
			for i := 0; i < f.Messages().Len(); i++ {
				m := f.Messages().Get(i)
				if pkg == "google.protobuf" && !contains(t.only, string(m.Name())) {
					continue
				}
				message(m)
			}
			if pkg == "google.protobuf" {
				return true
			}
			for i := 0; i < f.Enums().Len(); i++ {
				o.enums = append(o.enums, f.Enums().Get(i))
			}
			for i := 0; i < f.Services().Len(); i++ {
				o.services = append(o.services, f.Services().Get(i))
			}
			return true
		})
	}
	sort.Slice(o.messages, func(i, j int) bool { return o.messages[i].FullName() < o.messages[j].FullName() })
	sort.Slice(o.enums, func(i, j int) bool { return o.enums[i].FullName() < o.enums[j].FullName() })
	sort.Slice(o.services, func(i, j int) bool { return o.services[i].FullName() < o.services[j].FullName() })
	return o
}

func generate(t target, seen map[string]bool) string {
	o := collect(t)
	var b strings.Builder
	fmt.Fprintf(&b, "/** %s.\n *\n * Generated by packages/rpc/generate from upstream's descriptors; do not edit.\n */\n", t.about)
	b.WriteString("import { type MessageCodec, message } from \"../core/codec.ts\";\n")
	b.WriteString("import { bidi, clientStream, serverStream, service, unary } from \"../core/service.ts\";\n\n")
	names := map[string]bool{}
	for _, e := range o.enums {
		unique(names, name(e))
		fmt.Fprintf(&b, "export const %s = {", name(e))
		for i := 0; i < e.Values().Len(); i++ {
			v := e.Values().Get(i)
			fmt.Fprintf(&b, " %s: %d,", v.Name(), v.Number())
		}
		b.WriteString(" } as const;\n")
	}
	for _, m := range o.messages {
		unique(names, name(m))
		fmt.Fprintf(&b, "\nexport interface %s {\n", name(m))
		var facts []string
		for _, f := range fields(m) {
			seen[string(f.FullName())] = true
			fmt.Fprintf(&b, "  %s%s: %s;\n", f.JSONName(), optionalMark(f), tsType(f))
			facts = append(facts, fact(f))
		}
		b.WriteString("}\n")
		fmt.Fprintf(&b, "export const %s: MessageCodec<%s> = message(\"%s\", `%s`);\n",
			name(m), name(m), m.FullName(), strings.Join(facts, " "))
	}
	for _, s := range o.services {
		unique(names, string(s.Name())+"Service")
		fmt.Fprintf(&b, "\nexport const %s = service(\"%s\", {\n", serviceName(s, names), s.FullName())
		for i := 0; i < s.Methods().Len(); i++ {
			m := s.Methods().Get(i)
			kind := "unary"
			switch {
			case m.IsStreamingClient() && m.IsStreamingServer():
				kind = "bidi"
			case m.IsStreamingClient():
				kind = "clientStream"
			case m.IsStreamingServer():
				kind = "serverStream"
			}
			fmt.Fprintf(&b, "  %s: %s(\"/%s/%s\", %s, %s),\n", lowerFirst(string(m.Name())), kind, s.FullName(),
				m.Name(), name(m.Input()), name(m.Output()))
		}
		b.WriteString("});\n")
	}
	return b.String()
}

// fact is `name:number:type`, in the grammar that src/core/table.ts documents.
func fact(f protoreflect.FieldDescriptor) string {
	text := fmt.Sprintf("%s:%d:", f.JSONName(), f.Number())
	switch {
	case f.IsMap():
		text += "%" + kind(f.MapKey()) + "," + kind(f.MapValue())
	case f.IsList():
		text += "*" + kind(f)
	case f.HasOptionalKeyword():
		text += "?" + kind(f)
	default:
		text += kind(f)
	}
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		text += "=" + string(o.Name())
	}
	return text
}

func kind(f protoreflect.FieldDescriptor) string {
	switch f.Kind() {
	case protoreflect.MessageKind:
		return "." + string(f.Message().FullName())
	case protoreflect.EnumKind:
		return "int32"
	}
	if identities[string(f.FullName())] {
		return f.Kind().String() + "!"
	}
	return f.Kind().String()
}

func tsType(f protoreflect.FieldDescriptor) string {
	if f.IsMap() {
		return "Record<string, " + tsScalar(f.MapValue()) + ">"
	}
	if f.IsList() {
		return tsScalar(f) + "[]"
	}
	return tsScalar(f)
}

func tsScalar(f protoreflect.FieldDescriptor) string {
	switch f.Kind() {
	case protoreflect.MessageKind:
		return name(f.Message())
	case protoreflect.StringKind:
		return "string"
	case protoreflect.BytesKind:
		return "Uint8Array"
	case protoreflect.BoolKind:
		return "boolean"
	}
	if identities[string(f.FullName())] {
		return "bigint"
	}
	return "number"
}

func optionalMark(f protoreflect.FieldDescriptor) string {
	if f.IsList() || f.IsMap() {
		return ""
	}
	if f.Kind() == protoreflect.MessageKind || f.ContainingOneof() != nil {
		return "?"
	}
	return ""
}

func fields(m protoreflect.MessageDescriptor) []protoreflect.FieldDescriptor {
	var list []protoreflect.FieldDescriptor
	for i := 0; i < m.Fields().Len(); i++ {
		list = append(list, m.Fields().Get(i))
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Number() < list[j].Number() })
	return list
}

// name of a nested type is Outer_Inner, as protoc-gen-go has it.
func name(d protoreflect.Descriptor) string {
	text := string(d.Name())
	if outer, ok := d.Parent().(protoreflect.MessageDescriptor); ok {
		return name(outer) + "_" + text
	}
	return text
}

func serviceName(s protoreflect.ServiceDescriptor, taken map[string]bool) string {
	if taken[string(s.Name())] {
		return string(s.Name()) + "Service"
	}
	return string(s.Name())
}

func unique(names map[string]bool, n string) {
	if names[n] {
		log.Fatalf("two things are called %s", n)
	}
	names[n] = true
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
