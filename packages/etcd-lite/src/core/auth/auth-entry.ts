/**
 * The entries of the log that are about users and roles. Questions are entries too, as in etcd: the
 * answer is then as of one place in the log, on every member.
 */
import type { etcd } from "@nanokube/rpc";

export type AuthEntry =
  | { readonly kind: "authEnable"; readonly request: etcd.AuthEnableRequest }
  | { readonly kind: "authDisable"; readonly request: etcd.AuthDisableRequest }
  | { readonly kind: "authStatus"; readonly request: etcd.AuthStatusRequest }
  /** `password` is the token to give, or empty: who writes the entry has compared the password. */
  | { readonly kind: "authenticate"; readonly request: etcd.AuthenticateRequest }
  | { readonly kind: "userAdd"; readonly request: etcd.AuthUserAddRequest }
  | { readonly kind: "userGet"; readonly request: etcd.AuthUserGetRequest }
  | { readonly kind: "userList"; readonly request: etcd.AuthUserListRequest }
  | { readonly kind: "userDelete"; readonly request: etcd.AuthUserDeleteRequest }
  | { readonly kind: "userChangePassword"; readonly request: etcd.AuthUserChangePasswordRequest }
  | { readonly kind: "userGrantRole"; readonly request: etcd.AuthUserGrantRoleRequest }
  | { readonly kind: "userRevokeRole"; readonly request: etcd.AuthUserRevokeRoleRequest }
  | { readonly kind: "roleAdd"; readonly request: etcd.AuthRoleAddRequest }
  | { readonly kind: "roleGet"; readonly request: etcd.AuthRoleGetRequest }
  | { readonly kind: "roleList"; readonly request: etcd.AuthRoleListRequest }
  | { readonly kind: "roleDelete"; readonly request: etcd.AuthRoleDeleteRequest }
  | { readonly kind: "roleGrantPermission"; readonly request: etcd.AuthRoleGrantPermissionRequest }
  | {
      readonly kind: "roleRevokePermission";
      readonly request: etcd.AuthRoleRevokePermissionRequest;
    };

export type AuthEntryKind = AuthEntry["kind"];
