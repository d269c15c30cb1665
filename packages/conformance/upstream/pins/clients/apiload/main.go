// apiload puts client-go's own load on an API server and prints what it saw as one JSON object.
//
// Every caller and every watcher is a client of its own, with its own connection, and speaks
// protobuf as upstream's components do. Units: rates are per second, latencies are milliseconds.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

type settings struct {
	callers, listers, watchers, pods int
	seconds                          time.Duration
	namespace                        string
	sizes                            []int
	pid                              int
}

type result map[string]float64

func main() {
	s := settings{}
	kubeconfig := flag.String("kubeconfig", "", "whom to ask")
	phases := flag.String("phases", "create,get,list,bytes,label,patch,apply,fanout,delete", "in this order")
	flag.IntVar(&s.pid, "pid", 0, "the server's process, to count its processor time")
	growth := flag.String("growth", "", "numbers of objects at which the growth phase measures")
	flag.IntVar(&s.callers, "callers", 32, "callers at once")
	flag.IntVar(&s.listers, "listers", 4, "listers at once")
	flag.IntVar(&s.watchers, "watchers", 50, "watchers of the fan-out")
	flag.IntVar(&s.pods, "pods", 2000, "pods")
	flag.DurationVar(&s.seconds, "seconds", 5*time.Second, "how long a phase of reads takes")
	flag.StringVar(&s.namespace, "namespace", "load", "where the pods are")
	flag.Parse()
	for _, text := range strings.Split(*growth, ",") {
		var size int
		if _, err := fmt.Sscan(text, &size); err == nil {
			s.sizes = append(s.sizes, size)
		}
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	check(err)
	out := result{}
	load := &load{settings: s, config: config, out: out}
	load.clients = load.open(s.callers)
	load.prepare()
	for _, phase := range strings.Split(*phases, ",") {
		run, known := load.phases()[phase]
		if !known {
			check(fmt.Errorf("unknown phase %q", phase))
		}
		run()
	}
	check(json.NewEncoder(os.Stdout).Encode(out))
}

type load struct {
	settings
	config  *rest.Config
	clients []*kubernetes.Clientset
	out     result
}

func (l *load) phases() map[string]func() {
	return map[string]func(){
		"create": l.create, "get": l.get, "list": l.list, "bytes": l.listBytes, "label": l.listByLabel,
		"patch": l.patch, "apply": l.apply, "fanout": l.fanout, "delete": l.delete,
		"cluster": l.cluster, "growth": l.growth,
	}
}

// open makes clients that share nothing: a dialer of its own keeps client-go from sharing one.
func (l *load) open(count int) []*kubernetes.Clientset {
	clients := make([]*kubernetes.Clientset, count)
	for i := range clients {
		config := rest.CopyConfig(l.config)
		config.QPS, config.Burst = -1, -1
		config.ContentType = "application/vnd.kubernetes.protobuf"
		config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
		config.Dial = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
		client, err := kubernetes.NewForConfig(config)
		check(err)
		clients[i] = client
	}
	return clients
}

// each runs call(0), call(1), … call(count-1), as many at once as there are clients.
func (l *load) each(name string, clients []*kubernetes.Clientset, count int, call func(*kubernetes.Clientset, int)) {
	var next atomic.Int64
	l.measure(name, clients, func(client *kubernetes.Clientset) bool {
		i := int(next.Add(1)) - 1
		if i >= count {
			return false
		}
		call(client, i)
		return true
	})
}

// during runs call again and again for the time of a phase of reads.
func (l *load) during(name string, clients []*kubernetes.Clientset, call func(*kubernetes.Clientset, int)) {
	var next atomic.Int64
	end := time.Now().Add(l.seconds)
	l.measure(name, clients, func(client *kubernetes.Clientset) bool {
		if time.Now().After(end) {
			return false
		}
		call(client, int(next.Add(1))-1)
		return true
	})
}

func (l *load) measure(name string, clients []*kubernetes.Clientset, step func(*kubernetes.Clientset) bool) {
	var mutex sync.Mutex
	var latencies []float64
	var group sync.WaitGroup
	started, spent := time.Now(), l.spent()
	for _, client := range clients {
		group.Add(1)
		go func() {
			defer group.Done()
			var own []float64
			for {
				at := time.Now()
				if !step(client) {
					break
				}
				own = append(own, milliseconds(time.Since(at)))
			}
			mutex.Lock()
			latencies = append(latencies, own...)
			mutex.Unlock()
		}()
	}
	group.Wait()
	l.out[name+".cpu"] = (l.spent() - spent) / float64(max(1, len(latencies)))
	l.out[name+".rate"] = float64(len(latencies)) / time.Since(started).Seconds()
	l.percentiles(name, latencies)
}

// spent is the processor time of the server's process until now, in milliseconds (Linux).
func (l *load) spent() float64 {
	if l.pid == 0 {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", l.pid))
	check(err)
	// Behind the name in parentheses: state is field 3, utime 14 and stime 15, in hundredths.
	fields := strings.Fields(string(text[strings.LastIndex(string(text), ")")+1:]))
	user, err := strconv.ParseFloat(fields[11], 64)
	check(err)
	system, err := strconv.ParseFloat(fields[12], 64)
	check(err)
	return (user + system) * 10
}

func (l *load) percentiles(name string, latencies []float64) {
	sort.Float64s(latencies)
	if len(latencies) == 0 {
		check(fmt.Errorf("%s: nothing was measured", name))
	}
	l.out[name+".p50"] = latencies[len(latencies)/2]
	l.out[name+".p99"] = latencies[len(latencies)*99/100]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func background() context.Context { return context.Background() }

func check(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "apiload:", err)
	os.Exit(1)
}
