package main

import (
	admission "k8s.io/api/admission/v1"
	admissionregistration "k8s.io/api/admissionregistration/v1"
	admissionregistrationbeta "k8s.io/api/admissionregistration/v1beta1"
	apidiscovery "k8s.io/api/apidiscovery/v2"
	apps "k8s.io/api/apps/v1"
	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	certificates "k8s.io/api/certificates/v1"
	certificatesbeta "k8s.io/api/certificates/v1beta1"
	coordination "k8s.io/api/coordination/v1"
	coordinationbeta "k8s.io/api/coordination/v1beta1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	events "k8s.io/api/events/v1"
	flowcontrol "k8s.io/api/flowcontrol/v1"
	networking "k8s.io/api/networking/v1"
	networkingbeta "k8s.io/api/networking/v1beta1"
	node "k8s.io/api/node/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	resourcev1 "k8s.io/api/resource/v1"
	resourcebeta1 "k8s.io/api/resource/v1beta1"
	resourcebeta2 "k8s.io/api/resource/v1beta2"
	scheduling "k8s.io/api/scheduling/v1"
	storage "k8s.io/api/storage/v1"
	storagebeta "k8s.io/api/storage/v1beta1"
	storagemigration "k8s.io/api/storagemigration/v1beta1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

// A package of upstream's whose kinds go into the table. A version that upstream adds
// or drops is one line here.
type goPackage struct {
	gv  schema.GroupVersion
	add func(*runtime.Scheme) error
}

var packages = []goPackage{
	{admission.SchemeGroupVersion, admission.AddToScheme},
	{admissionregistration.SchemeGroupVersion, admissionregistration.AddToScheme},
	{admissionregistrationbeta.SchemeGroupVersion, admissionregistrationbeta.AddToScheme},
	{apidiscovery.SchemeGroupVersion, apidiscovery.AddToScheme},
	{apiextensions.SchemeGroupVersion, apiextensions.AddToScheme},
	{apiregistration.SchemeGroupVersion, apiregistration.AddToScheme},
	{apps.SchemeGroupVersion, apps.AddToScheme},
	{authentication.SchemeGroupVersion, authentication.AddToScheme},
	{authorization.SchemeGroupVersion, authorization.AddToScheme},
	{autoscalingv1.SchemeGroupVersion, autoscalingv1.AddToScheme},
	{autoscalingv2.SchemeGroupVersion, autoscalingv2.AddToScheme},
	{batch.SchemeGroupVersion, batch.AddToScheme},
	{certificates.SchemeGroupVersion, certificates.AddToScheme},
	{certificatesbeta.SchemeGroupVersion, certificatesbeta.AddToScheme},
	{coordination.SchemeGroupVersion, coordination.AddToScheme},
	{coordinationbeta.SchemeGroupVersion, coordinationbeta.AddToScheme},
	{core.SchemeGroupVersion, core.AddToScheme},
	{discovery.SchemeGroupVersion, discovery.AddToScheme},
	{events.SchemeGroupVersion, events.AddToScheme},
	{flowcontrol.SchemeGroupVersion, flowcontrol.AddToScheme},
	{networking.SchemeGroupVersion, networking.AddToScheme},
	{networkingbeta.SchemeGroupVersion, networkingbeta.AddToScheme},
	{node.SchemeGroupVersion, node.AddToScheme},
	{policy.SchemeGroupVersion, policy.AddToScheme},
	{rbac.SchemeGroupVersion, rbac.AddToScheme},
	{resourcev1.SchemeGroupVersion, resourcev1.AddToScheme},
	{resourcebeta1.SchemeGroupVersion, resourcebeta1.AddToScheme},
	{resourcebeta2.SchemeGroupVersion, resourcebeta2.AddToScheme},
	{scheduling.SchemeGroupVersion, scheduling.AddToScheme},
	{storage.SchemeGroupVersion, storage.AddToScheme},
	{storagebeta.SchemeGroupVersion, storagebeta.AddToScheme},
	{storagemigration.SchemeGroupVersion, storagemigration.AddToScheme},
}

// Types that no registered kind leads to, and that a cluster's wire carries all the same.
var extraTypes = []any{
	meta.APIGroup{}, meta.APIGroupList{}, meta.APIResourceList{}, meta.APIVersions{},
	meta.ApplyOptions{}, meta.FieldSelectorRequirement{}, meta.GroupKind{}, meta.GroupResource{},
	meta.GroupVersion{}, meta.GroupVersionForDiscovery{}, meta.GroupVersionKind{},
	meta.GroupVersionResource{}, meta.LabelSelector{}, meta.List{}, meta.PartialObjectMetadata{},
	meta.PartialObjectMetadataList{}, meta.RootPaths{}, meta.Status{}, meta.Table{},
	meta.TableOptions{}, meta.Timestamp{}, meta.WatchEvent{},
	version.Info{},
	core.SerializedReference{}, core.PodStatusResult{}, core.RangeAllocation{},
	core.NodeConfigStatus{}, core.TypedObjectReference{}, core.AvoidPods{}, core.Preconditions{},
	// What autoscaling/v1 keeps in annotations of the rest of autoscaling/v2.
	autoscalingv1.MetricSpec{}, autoscalingv1.MetricStatus{},
	autoscalingv1.HorizontalPodAutoscalerCondition{},
}
