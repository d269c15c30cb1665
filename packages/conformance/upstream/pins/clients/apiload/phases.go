package main

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"
)

func podName(i int) string { return fmt.Sprintf("pod-%06d", i) }

// A pod as a Deployment makes them: two containers, probes, requests, environment.
func (l *load) pod(i int, node string) *corev1.Pod {
	container := func(name string, port int32) corev1.Container {
		amounts := corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse("100m"),
			corev1.ResourceMemory: resource.MustParse("128Mi"),
		}
		return corev1.Container{
			Name: name, Image: "registry.example/shop/" + name + ":1.2.3",
			Command:   []string{"/bin/" + name, "--listen=:8080", "--log=json"},
			Ports:     []corev1.ContainerPort{{Name: name, ContainerPort: port}},
			Env:       []corev1.EnvVar{{Name: "MODE", Value: "production"}, {Name: "INDEX", Value: fmt.Sprint(i)}},
			Resources: corev1.ResourceRequirements{Requests: amounts, Limits: amounts},
		}
	}
	controller := true
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: podName(i), Namespace: l.namespace,
			Labels: map[string]string{"app": fmt.Sprintf("app-%d", i%10), "tier": "web", "pod-template-hash": "5c9d7f8b6"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-5c9d7f8b6",
				UID: "3f0c1c2e-5d0e-4f53-9c2b-6d8f7a4b1e90", Controller: &controller,
			}},
		},
		Spec: corev1.PodSpec{
			NodeName:   node,
			Containers: []corev1.Container{container("web", 8080), container("sidecar", 9090)},
			Tolerations: []corev1.Toleration{{
				Key: "dedicated", Operator: corev1.TolerationOpEqual, Value: "web", Effect: corev1.TaintEffectNoSchedule,
			}},
		},
	}
}

func (l *load) prepare() {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: l.namespace}}
	_, err := l.clients[0].CoreV1().Namespaces().Create(background(), namespace, metav1.CreateOptions{})
	if !errors.IsAlreadyExists(err) {
		check(err)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default", Namespace: l.namespace}}
	_, err = l.clients[0].CoreV1().ServiceAccounts(l.namespace).Create(background(), account, metav1.CreateOptions{})
	if !errors.IsAlreadyExists(err) {
		check(err)
	}
}

func (l *load) create() {
	l.each("create", l.clients, l.pods, func(client *kubernetes.Clientset, i int) {
		_, err := client.CoreV1().Pods(l.namespace).Create(background(), l.pod(i, ""), metav1.CreateOptions{})
		check(err)
	})
}

func (l *load) get() {
	l.during("get", l.clients, func(client *kubernetes.Clientset, i int) {
		_, err := client.CoreV1().Pods(l.namespace).Get(background(), podName(i*7919%l.pods), metav1.GetOptions{})
		check(err)
	})
}

func (l *load) list() {
	l.during("list", l.clients[:l.listers], func(client *kubernetes.Clientset, _ int) {
		l.listed(client, metav1.ListOptions{}, l.pods)
	})
}

// listBytes takes the same list as it comes, compressed and not decoded: the server's part alone.
func (l *load) listBytes() {
	l.during("bytes", l.clients[:l.listers], func(client *kubernetes.Clientset, _ int) {
		request := client.CoreV1().RESTClient().Get().Namespace(l.namespace).Resource("pods")
		bytes, err := request.SetHeader("Accept-Encoding", "gzip").Do(background()).Raw()
		check(err)
		if len(bytes) < 100*l.pods/10 {
			check(fmt.Errorf("a list of %d pods has %d bytes", l.pods, len(bytes)))
		}
	})
}

func (l *load) listByLabel() {
	l.during("label", l.clients[:l.listers], func(client *kubernetes.Clientset, i int) {
		l.listed(client, metav1.ListOptions{LabelSelector: fmt.Sprintf("app=app-%d", i%10)}, l.pods/10)
	})
}

func (l *load) listed(client *kubernetes.Clientset, options metav1.ListOptions, want int) {
	list, err := client.CoreV1().Pods(l.namespace).List(background(), options)
	check(err)
	if len(list.Items) != want {
		check(fmt.Errorf("a list of %d pods has %d", want, len(list.Items)))
	}
}

func (l *load) patchOne(client *kubernetes.Clientset, i int, value string) {
	body := fmt.Appendf(nil, `{"metadata":{"annotations":{"load/at":%q}}}`, value)
	_, err := client.CoreV1().Pods(l.namespace).Patch(background(), podName(i), types.MergePatchType, body, metav1.PatchOptions{})
	check(err)
}

func (l *load) patch() {
	l.each("patch", l.clients, l.pods, func(client *kubernetes.Clientset, i int) {
		l.patchOne(client, i, "patched")
	})
}

func (l *load) apply() {
	l.each("apply", l.clients, l.pods, func(client *kubernetes.Clientset, i int) {
		pod := applycore.Pod(podName(i), l.namespace).WithLabels(map[string]string{"applied": "yes"})
		_, err := client.CoreV1().Pods(l.namespace).Apply(background(), pod, metav1.ApplyOptions{FieldManager: "load", Force: true})
		check(err)
	})
}

func (l *load) delete() {
	now := int64(0)
	l.each("delete", l.clients, l.pods, func(client *kubernetes.Clientset, i int) {
		err := client.CoreV1().Pods(l.namespace).Delete(background(), podName(i), metav1.DeleteOptions{GracePeriodSeconds: &now})
		check(err)
	})
}

// cluster fills the store with the objects of 5,000 nodes and 12,000 pods, whose memory is asked for.
func (l *load) cluster() {
	const nodes, pods = 5000, 12000
	l.each("cluster.nodes", l.clients, nodes, func(client *kubernetes.Clientset, i int) {
		_, err := client.CoreV1().Nodes().Create(background(), node(i), metav1.CreateOptions{})
		check(err)
	})
	l.each("cluster.pods", l.clients, pods, func(client *kubernetes.Clientset, i int) {
		pod := l.pod(1_000_000+i, fmt.Sprintf("node-%05d", i%nodes))
		_, err := client.CoreV1().Pods(l.namespace).Create(background(), pod, metav1.CreateOptions{})
		check(err)
	})
}

func node(i int) *corev1.Node {
	amounts := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("8"), corev1.ResourceMemory: resource.MustParse("32Gi"),
		corev1.ResourcePods: resource.MustParse("110"),
	}
	condition := func(kind corev1.NodeConditionType, status corev1.ConditionStatus) corev1.NodeCondition {
		now := metav1.Now()
		return corev1.NodeCondition{Type: kind, Status: status, Reason: "Kubelet", Message: "the kubelet says so", LastHeartbeatTime: now, LastTransitionTime: now}
	}
	name := fmt.Sprintf("node-%05d", i)
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "topology.kubernetes.io/zone": fmt.Sprintf("zone-%d", i%3),
		}},
		Status: corev1.NodeStatus{
			Capacity: amounts, Allocatable: amounts,
			Conditions: []corev1.NodeCondition{
				condition(corev1.NodeMemoryPressure, corev1.ConditionFalse),
				condition(corev1.NodeDiskPressure, corev1.ConditionFalse),
				condition(corev1.NodeReady, corev1.ConditionTrue),
			},
			Addresses: []corev1.NodeAddress{{Type: corev1.NodeHostName, Address: name}},
		},
	}
}

// growth adds config maps and measures at each size how long one operation takes.
func (l *load) growth() {
	maps := func(client *kubernetes.Clientset) func(int) string {
		return func(i int) string { return fmt.Sprintf("item-%07d", i) }
	}
	name := maps(l.clients[0])
	have := 0
	for _, size := range l.sizes {
		key := fmt.Sprintf("growth.%d.", size)
		from := have
		l.each(key+"create", l.clients, size-from, func(client *kubernetes.Clientset, i int) {
			object := &corev1.ConfigMap{
				ObjectMeta: metav1.ObjectMeta{Name: name(from + i), Labels: map[string]string{"tenth": fmt.Sprint(i % 10)}},
				Data:       map[string]string{"key": "value", "index": fmt.Sprint(i)},
			}
			_, err := client.CoreV1().ConfigMaps(l.namespace).Create(background(), object, metav1.CreateOptions{})
			check(err)
		})
		have = size
		l.during(key+"get", l.clients, func(client *kubernetes.Clientset, i int) {
			_, err := client.CoreV1().ConfigMaps(l.namespace).Get(background(), name(i*7919%size), metav1.GetOptions{})
			check(err)
		})
		l.during(key+"page", l.clients[:l.listers], func(client *kubernetes.Clientset, _ int) {
			_, err := client.CoreV1().ConfigMaps(l.namespace).List(background(), metav1.ListOptions{Limit: 500})
			check(err)
		})
		at := time.Now()
		list, err := l.clients[0].CoreV1().ConfigMaps(l.namespace).List(background(), metav1.ListOptions{})
		check(err)
		if len(list.Items) < size {
			check(fmt.Errorf("a list of %d objects has %d", size, len(list.Items)))
		}
		l.out[key+"list.p50"] = milliseconds(time.Since(at))
	}
}
