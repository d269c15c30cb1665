/** autoscaling/v1, generated: do not edit. */
import type { ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
export type CrossVersionObjectReference = {
  kind?: string;
  name?: string;
  apiVersion?: string;
};
/** autoscaling/v1 HorizontalPodAutoscaler */
export type HorizontalPodAutoscaler = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: HorizontalPodAutoscalerSpec;
  status?: HorizontalPodAutoscalerStatus;
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
