/** autoscaling/v1, generated: do not edit. */
import type { LabelSelector as meta_v1_LabelSelector, ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
export type ContainerResourceMetricSource = {
  name?: string;
  targetAverageUtilization?: number;
  targetAverageValue?: string;
  container?: string;
};
export type ContainerResourceMetricStatus = {
  name?: string;
  currentAverageUtilization?: number;
  currentAverageValue?: string;
  container?: string;
};
export type CrossVersionObjectReference = {
  kind?: string;
  name?: string;
  apiVersion?: string;
};
export type ExternalMetricSource = {
  metricName?: string;
  metricSelector?: meta_v1_LabelSelector;
  targetValue?: string;
  targetAverageValue?: string;
};
export type ExternalMetricStatus = {
  metricName?: string;
  metricSelector?: meta_v1_LabelSelector;
  currentValue?: string;
  currentAverageValue?: string;
};
/** autoscaling/v1 HorizontalPodAutoscaler */
export type HorizontalPodAutoscaler = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: HorizontalPodAutoscalerSpec;
  status?: HorizontalPodAutoscalerStatus;
};
export type HorizontalPodAutoscalerCondition = {
  type?: string;
  status?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
};
/** autoscaling/v1 HorizontalPodAutoscalerList */
export type HorizontalPodAutoscalerList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: HorizontalPodAutoscaler[];
};
export type HorizontalPodAutoscalerSpec = {
  scaleTargetRef?: CrossVersionObjectReference;
  minReplicas?: number;
  maxReplicas?: number;
  targetCPUUtilizationPercentage?: number;
};
export type HorizontalPodAutoscalerStatus = {
  observedGeneration?: number;
  lastScaleTime?: string;
  currentReplicas?: number;
  desiredReplicas?: number;
  currentCPUUtilizationPercentage?: number;
};
export type MetricSpec = {
  type?: "ContainerResource" | "External" | "Object" | "Pods" | "Resource" | (string & {});
  object?: ObjectMetricSource;
  pods?: PodsMetricSource;
  resource?: ResourceMetricSource;
  containerResource?: ContainerResourceMetricSource;
  external?: ExternalMetricSource;
};
export type MetricStatus = {
  type?: "ContainerResource" | "External" | "Object" | "Pods" | "Resource" | (string & {});
  object?: ObjectMetricStatus;
  pods?: PodsMetricStatus;
  resource?: ResourceMetricStatus;
  containerResource?: ContainerResourceMetricStatus;
  external?: ExternalMetricStatus;
};
export type ObjectMetricSource = {
  target?: CrossVersionObjectReference;
  metricName?: string;
  targetValue?: string;
  selector?: meta_v1_LabelSelector;
  averageValue?: string;
};
export type ObjectMetricStatus = {
  target?: CrossVersionObjectReference;
  metricName?: string;
  currentValue?: string;
  selector?: meta_v1_LabelSelector;
  averageValue?: string;
};
export type PodsMetricSource = {
  metricName?: string;
  targetAverageValue?: string;
  selector?: meta_v1_LabelSelector;
};
export type PodsMetricStatus = {
  metricName?: string;
  currentAverageValue?: string;
  selector?: meta_v1_LabelSelector;
};
export type ResourceMetricSource = {
  name?: string;
  targetAverageUtilization?: number;
  targetAverageValue?: string;
};
export type ResourceMetricStatus = {
  name?: string;
  currentAverageUtilization?: number;
  currentAverageValue?: string;
};
/** autoscaling/v1 Scale */
export type Scale = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: ScaleSpec;
  status?: ScaleStatus;
};
export type ScaleSpec = {
  replicas?: number;
};
export type ScaleStatus = {
  replicas?: number;
  selector?: string;
};
