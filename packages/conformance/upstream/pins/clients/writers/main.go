// writers creates, changes and deletes config maps as fast as the server lets it, while somebody
// kills what is below it, and says of each write what became of it, a line each:
//
//	create NAME RESOURCE-VERSION      acknowledged; update has one, too
//	delete NAME                       acknowledged
//	unknown create|update|delete NAME no answer, or none that says whether it was done
//
// An object has one writer, which leaves it alone after an unknown write: what must be in the store
// afterwards follows from its lines. Every writer has a connection of its own and speaks protobuf.
// It ends when its standard input does.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Longer than a restart takes: who waits for the store is answered when it is back.
const patience = 30 * time.Second

// What asks a dead server again and again at once keeps the processor from its next start.
const pause = 50 * time.Millisecond

func main() {
	kubeconfig := flag.String("kubeconfig", "", "whom to ask")
	callers := flag.Int("callers", 32, "writers at once")
	run := flag.String("run", "w", "how the names begin, and the value of the label run")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	check(err)
	var isOver atomic.Bool
	var running sync.WaitGroup
	for id := range *callers {
		maps := connect(config)
		running.Add(1)
		go func() {
			defer running.Done()
			for i := 0; !isOver.Load(); i++ {
				if !live(maps, *run, id, i) {
					time.Sleep(pause)
				}
			}
		}()
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	check(err)
	isOver.Store(true)
	running.Wait()
}

// A dialer of its own keeps client-go from sharing a connection.
func connect(config *rest.Config) typedcore.ConfigMapInterface {
	own := rest.CopyConfig(config)
	own.QPS, own.Burst = -1, -1
	own.ContentType = "application/vnd.kubernetes.protobuf"
	own.Dial = (&net.Dialer{Timeout: time.Second}).DialContext
	client, err := kubernetes.NewForConfig(own)
	check(err)
	return client.CoreV1().ConfigMaps("default")
}

// live is one object's life, every third to its end; false when an answer was missing.
func live(maps typedcore.ConfigMapInterface, run string, id, i int) bool {
	name := fmt.Sprintf("%s-%d-%d", run, id, i)
	object := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"run": run}},
		Data:       map[string]string{"turn": "created"},
	}
	made, isMade := acknowledged("create", name, func(ctx context.Context) (*corev1.ConfigMap, error) {
		return maps.Create(ctx, object, metav1.CreateOptions{})
	})
	if !isMade {
		return false
	}
	made.Data["turn"] = "updated"
	_, isUpdated := acknowledged("update", name, func(ctx context.Context) (*corev1.ConfigMap, error) {
		return maps.Update(ctx, made, metav1.UpdateOptions{})
	})
	if !isUpdated || i%3 > 0 {
		return isUpdated
	}
	_, isDeleted := acknowledged("delete", name, func(ctx context.Context) (*corev1.ConfigMap, error) {
		return nil, maps.Delete(ctx, name, metav1.DeleteOptions{})
	})
	return isDeleted
}

func acknowledged(verb, name string, write func(context.Context) (*corev1.ConfigMap, error)) (*corev1.ConfigMap, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	object, err := write(ctx)
	switch {
	case err != nil:
		fmt.Printf("unknown %s %s\n", verb, name)
	case object == nil:
		fmt.Printf("%s %s\n", verb, name)
	default:
		fmt.Printf("%s %s %s\n", verb, name, object.ResourceVersion)
	}
	return object, err == nil
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "writers:", err)
		os.Exit(1)
	}
}
