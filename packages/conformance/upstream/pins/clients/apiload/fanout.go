package main

import (
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// Changes a second in the calm phase: what 2,000 pods' kubelets write in a busy minute.
const calmRate = 100

// fanout measures how long after its write a change reaches each watcher: at a steady rate of
// writes, then with every caller writing as fast as it can.
func (l *load) fanout() {
	watchers := l.open(l.watchers)
	seen := &arrivals{}
	var running sync.WaitGroup
	var open []watch.Interface
	for _, client := range watchers {
		stream, err := client.CoreV1().Pods(l.namespace).Watch(background(), metav1.ListOptions{ResourceVersion: l.newest()})
		check(err)
		open = append(open, stream)
		running.Add(1)
		go func() {
			defer running.Done()
			seen.follow(stream)
		}()
	}
	spent := l.spent()
	l.calm()
	changes := int(calmRate * l.seconds.Seconds())
	l.settle(seen, changes*l.watchers)
	l.out["fanout.cpu"] = (l.spent() - spent) / float64(changes)
	l.percentiles("fanout", seen.take())
	l.each("fanout.full.write", l.clients, l.pods, func(client *kubernetes.Clientset, i int) {
		l.patchOne(client, i, stamp())
	})
	l.settle(seen, l.pods*l.watchers)
	l.percentiles("fanout.full", seen.take())
	for _, stream := range open {
		stream.Stop()
	}
	running.Wait()
}

func (l *load) newest() string {
	list, err := l.clients[0].CoreV1().Pods(l.namespace).List(background(), metav1.ListOptions{Limit: 1})
	check(err)
	return list.ResourceVersion
}

func (l *load) calm() {
	tick := time.NewTicker(time.Second / calmRate)
	defer tick.Stop()
	var writes sync.WaitGroup
	for i := range int(calmRate * l.seconds.Seconds()) {
		<-tick.C
		writes.Add(1)
		go func() {
			defer writes.Done()
			l.patchOne(l.clients[i%len(l.clients)], i%l.pods, stamp())
		}()
	}
	writes.Wait()
}

func stamp() string { return strconv.FormatInt(time.Now().UnixNano(), 10) }

// settle waits until every watcher has seen every change.
func (l *load) settle(seen *arrivals, want int) {
	for range 600 {
		if seen.count() >= want {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	l.out["fanout.missing"] = float64(want - seen.count())
}

type arrivals struct {
	mutex     sync.Mutex
	latencies []float64
}

func (a *arrivals) follow(stream watch.Interface) {
	for event := range stream.ResultChan() {
		pod, isPod := event.Object.(*corev1.Pod)
		if !isPod || event.Type != watch.Modified {
			continue
		}
		sent, err := strconv.ParseInt(pod.Annotations["load/at"], 10, 64)
		if err != nil {
			continue
		}
		late := milliseconds(time.Since(time.Unix(0, sent)))
		a.mutex.Lock()
		a.latencies = append(a.latencies, late)
		a.mutex.Unlock()
	}
}

func (a *arrivals) count() int {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return len(a.latencies)
}

func (a *arrivals) take() []float64 {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	all := a.latencies
	a.latencies = nil
	return all
}
