// informers follows config maps with client-go's shared informers, as every controller does, and
// ends with 0 when what they say agrees with what was written.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const objects = 200

func main() {
	kubeconfig := flag.String("kubeconfig", "", "whom to ask")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	check(err)
	config.QPS, config.Burst = -1, -1
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	check(err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	maps := client.CoreV1().ConfigMaps("default")
	for i := range objects / 2 { // The first half is there before the informer, the rest comes later.
		check(create(ctx, client, i))
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace("default"),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = "followed=yes" }))
	seen := &counter{}
	informer := factory.Core().V1().ConfigMaps()
	_, err = informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { seen.add(&seen.added) },
		UpdateFunc: func(any, any) { seen.add(&seen.updated) },
		DeleteFunc: func(any) { seen.add(&seen.deleted) },
	})
	check(err)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	for i := objects / 2; i < objects; i++ {
		check(create(ctx, client, i))
	}
	seen.await(ctx, "added", &seen.added, objects)
	for i := range objects {
		object, err := informer.Lister().ConfigMaps("default").Get(name(i))
		check(err)
		changed := object.DeepCopy()
		changed.Data = map[string]string{"changed": "yes"}
		_, err = maps.Update(ctx, changed, metav1.UpdateOptions{})
		check(err)
	}
	seen.await(ctx, "updated", &seen.updated, objects)
	check(maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "followed=yes"}))
	seen.await(ctx, "deleted", &seen.deleted, objects)
	left, err := informer.Lister().List(labels.Everything())
	check(err)
	if len(left) != 0 {
		check(fmt.Errorf("%d are left in the informer's cache", len(left)))
	}
	fmt.Println("ok")
}

func name(i int) string { return fmt.Sprintf("followed-%d", i) }

func create(ctx context.Context, client kubernetes.Interface, i int) error {
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name(i), Labels: map[string]string{"followed": "yes"}}}
	_, err := client.CoreV1().ConfigMaps("default").Create(ctx, object, metav1.CreateOptions{})
	return err
}

type counter struct {
	mutex                   sync.Mutex
	added, updated, deleted int
}

func (c *counter) add(count *int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	*count++
}

func (c *counter) await(ctx context.Context, what string, count *int, want int) {
	err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(context.Context) (bool, error) {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		return *count >= want, nil
	})
	if err != nil || *count != want {
		check(fmt.Errorf("%d %s, wanted %d: %v", *count, what, want, err))
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "informers:", err)
		os.Exit(1)
	}
}
