// controller is an operator in the shape that controller-runtime and its envtest give one: a custom
// kind is installed, a manager with leader election reconciles it, finalizers hold a deletion.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

var kind = schema.GroupVersionKind{Group: "shop.example.com", Version: "v1", Kind: "Shop"}

const finalizer = "shop.example.com/closing"

func newShop() *unstructured.Unstructured {
	shop := &unstructured.Unstructured{}
	shop.SetGroupVersionKind(kind)
	return shop
}

func definition() *apiextensionsv1.CustomResourceDefinition {
	integer := apiextensionsv1.JSONSchemaProps{Type: "integer"}
	object := func(properties map[string]apiextensionsv1.JSONSchemaProps) apiextensionsv1.JSONSchemaProps {
		return apiextensionsv1.JSONSchemaProps{Type: "object", Properties: properties}
	}
	whole := object(map[string]apiextensionsv1.JSONSchemaProps{
		"spec":   object(map[string]apiextensionsv1.JSONSchemaProps{"size": integer}),
		"status": object(map[string]apiextensionsv1.JSONSchemaProps{"ready": integer}),
	})
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "shops.shop.example.com"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: kind.Group, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "shops", Singular: "shop", Kind: "Shop", ListKind: "ShopList"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema:       &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &whole},
				Subresources: &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
			}},
		},
	}
}

type reconciler struct{ client.Client }

// Reconcile keeps a config map for each shop and says so in the shop's status.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	shop := newShop()
	if err := r.Get(ctx, request.NamespacedName, shop); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !shop.GetDeletionTimestamp().IsZero() {
		controllerutil.RemoveFinalizer(shop, finalizer)
		return ctrl.Result{}, r.Update(ctx, shop)
	}
	if controllerutil.AddFinalizer(shop, finalizer) {
		return ctrl.Result{}, r.Update(ctx, shop)
	}
	size, _, _ := unstructured.NestedInt64(shop.Object, "spec", "size")
	stock := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: shop.GetName(), Namespace: shop.GetNamespace()}}
	_, err := controllerutil.CreateOrUpdate(ctx, r.Client, stock, func() error {
		stock.Data = map[string]string{"size": fmt.Sprint(size)}
		return controllerutil.SetControllerReference(shop, stock, r.Scheme())
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := unstructured.SetNestedField(shop.Object, size, "status", "ready"); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.Status().Update(ctx, shop)
}

func main() {
	kubeconfig := flag.String("kubeconfig-file", "", "whom to ask")
	flag.Parse()
	log.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	check(err)
	existing := true
	environment := &envtest.Environment{
		UseExistingCluster: &existing, Config: config,
		CRDInstallOptions: envtest.CRDInstallOptions{CRDs: []*apiextensionsv1.CustomResourceDefinition{definition()}},
	}
	config, err = environment.Start()
	check(err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Metrics: server.Options{BindAddress: "0"}, LeaderElection: true,
		LeaderElectionID: "shops", LeaderElectionNamespace: "default", LeaderElectionReleaseOnCancel: true,
	})
	check(err)
	check(ctrl.NewControllerManagedBy(manager).Named("shop").For(newShop()).Owns(&corev1.ConfigMap{}).
		Complete(&reconciler{manager.GetClient()}))
	stopped := make(chan error)
	go func() { stopped <- manager.Start(ctx) }()
	exercise(ctx, manager.GetAPIReader(), manager.GetClient())
	cancel()
	check(<-stopped)
	check(environment.Stop())
	fmt.Println("ok")
}

func exercise(ctx context.Context, reader client.Reader, writer client.Client) {
	shop := newShop()
	shop.SetName("corner")
	shop.SetNamespace("default")
	check(unstructured.SetNestedField(shop.Object, int64(3), "spec", "size"))
	check(writer.Create(ctx, shop))
	key := client.ObjectKeyFromObject(shop)
	eventually(ctx, "the status follows", func() bool {
		ready, _, _ := unstructured.NestedInt64(shop.Object, "status", "ready")
		return reader.Get(ctx, key, shop) == nil && ready == 3
	})
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"size":5}}`))
	check(writer.Patch(ctx, shop, patch))
	stock := &corev1.ConfigMap{}
	eventually(ctx, "the config map follows", func() bool {
		return reader.Get(ctx, key, stock) == nil && stock.Data["size"] == "5"
	})
	check(writer.Delete(ctx, stock))
	eventually(ctx, "what is owned comes back", func() bool {
		again := &corev1.ConfigMap{}
		return reader.Get(ctx, key, again) == nil && again.UID != stock.UID
	})
	check(writer.Delete(ctx, shop))
	eventually(ctx, "the finalizer lets go", func() bool { return errors.IsNotFound(reader.Get(ctx, key, newShop())) })
}

func eventually(ctx context.Context, what string, holds func() bool) {
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 20*time.Second, true,
		func(context.Context) (bool, error) { return holds(), nil })
	if err != nil {
		check(fmt.Errorf("%s: %w", what, err))
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "controller:", err)
		os.Exit(1)
	}
}
