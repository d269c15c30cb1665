/** storagemigration/v1beta1, generated: do not edit. */
import type { Condition as meta_v1_Condition, GroupResource as meta_v1_GroupResource, ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
/** storagemigration.k8s.io/v1beta1 StorageVersionMigration */
export type StorageVersionMigration = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: StorageVersionMigrationSpec;
  status?: StorageVersionMigrationStatus;
};
/** storagemigration.k8s.io/v1beta1 StorageVersionMigrationList */
export type StorageVersionMigrationList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: StorageVersionMigration[];
};
export type StorageVersionMigrationSpec = {
  resource?: meta_v1_GroupResource;
};
export type StorageVersionMigrationStatus = {
  conditions?: meta_v1_Condition[];
  resourceVersion?: string;
};
