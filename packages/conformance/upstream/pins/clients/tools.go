//go:build tools

// Package clients pins the modules whose clients are tried against API servers.
package clients

import (
	_ "sigs.k8s.io/controller-runtime"
	_ "sigs.k8s.io/controller-runtime/pkg/envtest"
)
