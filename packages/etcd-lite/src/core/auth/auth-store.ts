/**
 * Users, roles, and whether anybody is asked who he is. Replicated: entries of the log change it.
 *
 * Pure: passwords come hashed, tokens come made; time comes in as `nowMs`. Every change raises
 * `revision`, so that what was decided under an older state can be told from what holds now.
 * Errors  as etcd's, in errors.ts
 * Source  etcd v3.6 server/auth/store.go
 */
import { type etcd, readUTF8, writeEscaped } from "@nanokube/rpc";
import { compareBytes, keyText } from "../bytes.ts";
import { EtcdError } from "../errors.ts";
import type { AuthEntry } from "./auth-entry.ts";
import {
  isCovered,
  isValidPermission,
  type MergedPermissions,
  mergePermissions,
  permissionTypes,
} from "./permission.ts";
import { SimpleTokens } from "./simple-tokens.ts";

export const rootName = "root";

/** On whose behalf: nobody has revision 0. */
export interface Identity {
  readonly username: string;
  /** Of the auth store when the identity was proven. */
  readonly revision: number;
}

export const nobody: Identity = { username: "", revision: 0 };

export interface AuthContent {
  readonly enabled: boolean;
  readonly revision: number;
  readonly users: readonly etcd.User[];
  readonly roles: readonly etcd.Role[];
}

type User = etcd.User;

const everything: etcd.Permission = {
  permType: permissionTypes.readWrite,
  key: new Uint8Array(0),
  rangeEnd: new Uint8Array([0]),
};

export class AuthStore {
  readonly tokens = new SimpleTokens();
  #enabled = false;
  #revision = 1;
  readonly #users = new Map<string, User>();
  readonly #roles = new Map<string, etcd.Role>();
  #merged = new Map<string, MergedPermissions>();

  get enabled(): boolean {
    return this.#enabled;
  }
  get revision(): number {
    return this.#revision;
  }

  /** Users and roles by name, as they stand in snapshots. */
  content(): AuthContent {
    const sorted = <T>(map: ReadonlyMap<string, T>) => sortedNames(map).map((n) => map.get(n)!);
    const [users, roles] = [sorted(this.#users), sorted(this.#roles)];
    return { enabled: this.#enabled, revision: this.#revision, users, roles };
  }

  restore(content: AuthContent): void {
    this.#enabled = content.enabled;
    this.#revision = content.revision;
    this.#users.clear();
    this.#roles.clear();
    for (const user of content.users) this.#users.set(text(user.name), user);
    for (const role of content.roles) this.#roles.set(text(role.name), role);
    this.tokens.clear();
    this.#merged.clear();
  }

  /** The user that a password would be compared with. */
  passwordOf(name: string): Uint8Array {
    if (!this.#enabled) throw new EtcdError("AuthNotEnabled");
    const user = this.#users.get(name);
    if (user === undefined) throw new EtcdError("AuthFailed");
    if (user.options?.noPassword) throw new EtcdError("NoPasswordUser");
    return user.password;
  }

  checkRange(who: Identity, key: string, rangeEnd: string): void {
    this.#check(who, "read", key, rangeEnd);
  }

  checkWrite(who: Identity, key: string, rangeEnd: string): void {
    this.#check(who, "write", key, rangeEnd);
  }

  checkAdmin(who: Identity): void {
    if (!this.#enabled) return;
    if (who.username === "") throw new EtcdError("UserEmpty");
    const user = this.#users.get(who.username);
    if (user === undefined) throw new EtcdError("UserNotFound");
    if (!isRoot(user)) throw new EtcdError("PermissionDenied");
  }

  isAdmin(who: Identity): boolean {
    if (!this.#enabled) return true;
    const user = this.#users.get(who.username);
    return user !== undefined && isRoot(user);
  }

  hasRole(username: string, role: string): boolean {
    return this.#users.get(username)?.roles.includes(role) ?? false;
  }

  #check(who: Identity, kind: "read" | "write", key: string, rangeEnd: string): void {
    if (!this.#enabled) return;
    if (who.revision === 0) throw new EtcdError("UserEmpty");
    if (who.revision < this.#revision) throw new EtcdError("AuthOldRevision");
    const user = this.#users.get(who.username);
    if (user === undefined) throw new EtcdError("PermissionDenied");
    if (isRoot(user) || isCovered(this.#mergedOf(user)[kind], key, rangeEnd)) return;
    throw new EtcdError("PermissionDenied");
  }

  #mergedOf(user: User): MergedPermissions {
    const name = text(user.name);
    let merged = this.#merged.get(name);
    if (merged === undefined) {
      const roles = user.roles.flatMap((role) => this.#roles.get(role)?.keyPermission ?? []);
      merged = mergePermissions(roles);
      this.#merged.set(name, merged);
    }
    return merged;
  }

  /** Does what an entry says; the response lacks its header. */
  apply(entry: AuthEntry, nowMs: number): object {
    switch (entry.kind) {
      case "authEnable":
        return this.#enable();
      case "authDisable":
        return this.#disable();
      case "authStatus":
        return { enabled: this.#enabled, authRevision: this.#revision };
      case "authenticate":
        return this.#authenticate(entry.request, nowMs);
      case "userAdd":
        return this.#userAdd(entry.request);
      case "userGet":
        return { roles: this.#user(entry.request.name).roles };
      case "userList":
        return { users: sortedNames(this.#users) };
      case "userDelete":
        return this.#userDelete(entry.request.name);
      case "userChangePassword":
        return this.#userChangePassword(entry.request);
      case "userGrantRole":
        return this.#userGrantRole(entry.request);
      case "userRevokeRole":
        return this.#userRevokeRole(entry.request);
      case "roleAdd":
        return this.#roleAdd(entry.request.name);
      case "roleGet":
        return { perm: this.#permissionsOf(entry.request.role) };
      case "roleList":
        return { roles: sortedNames(this.#roles) };
      case "roleDelete":
        return this.#roleDelete(entry.request.role);
      case "roleGrantPermission":
        return this.#roleGrant(entry.request);
      case "roleRevokePermission":
        return this.#roleRevoke(entry.request);
    }
  }

  #changed(): object {
    this.#revision++;
    this.#merged.clear();
    return {};
  }

  #user(name: string): User {
    const user = this.#users.get(name);
    if (user === undefined) throw new EtcdError("UserNotFound");
    return user;
  }

  #role(name: string): etcd.Role {
    const role = this.#roles.get(name);
    if (role === undefined) throw new EtcdError("RoleNotFound");
    return role;
  }

  #enable(): object {
    if (this.#enabled) return {};
    const root = this.#users.get(rootName);
    if (root === undefined) throw new EtcdError("RootUserNotExist");
    if (!isRoot(root)) throw new EtcdError("RootRoleNotExist");
    this.#enabled = true;
    return {};
  }

  #disable(): object {
    if (!this.#enabled) return {};
    this.#enabled = false;
    this.tokens.clear();
    return this.#changed();
  }

  #authenticate(request: etcd.AuthenticateRequest, nowMs: number): object {
    if (!this.#enabled) throw new EtcdError("AuthNotEnabled");
    const user = this.#users.get(request.name);
    if (user === undefined || user.options?.noPassword) throw new EtcdError("AuthFailed");
    // The field that has no further use here carries the token: the password was compared before.
    if (request.password !== "") this.tokens.assign(request.password, request.name, nowMs);
    return { token: request.password };
  }

  #userAdd({ name, options, hashedPassword }: etcd.AuthUserAddRequest): object {
    if (name === "") throw new EtcdError("UserEmpty");
    if (this.#users.has(name)) throw new EtcdError("UserAlreadyExist");
    const noPassword = options?.noPassword ?? false;
    const password = noPassword ? new Uint8Array(0) : hashBytes(hashedPassword);
    this.#users.set(name, { name: bytes(name), password, roles: [], options: { noPassword } });
    return this.#changed();
  }

  #userDelete(name: string): object {
    if (this.#enabled && name === rootName) throw new EtcdError("InvalidAuthMgmt");
    this.#user(name);
    this.#users.delete(name);
    this.tokens.forgetUser(name);
    return this.#changed();
  }

  #userChangePassword(request: etcd.AuthUserChangePasswordRequest): object {
    const { name, hashedPassword } = request;
    const user = this.#user(name);
    const noPassword = user.options?.noPassword ?? false;
    const password = noPassword ? new Uint8Array(0) : hashBytes(hashedPassword);
    this.#users.set(name, { ...user, password });
    this.tokens.forgetUser(name);
    return this.#changed();
  }

  #userGrantRole({ user: name, role }: etcd.AuthUserGrantRoleRequest): object {
    const user = this.#user(name);
    if (role !== rootName) this.#role(role);
    if (user.roles.includes(role)) return {};
    this.#users.set(name, { ...user, roles: [...user.roles, role].sort(byBytes) });
    return this.#changed();
  }

  #userRevokeRole({ name, role }: etcd.AuthUserRevokeRoleRequest): object {
    if (this.#enabled && name === rootName && role === rootName) {
      throw new EtcdError("InvalidAuthMgmt");
    }
    const user = this.#user(name);
    if (!user.roles.includes(role)) throw new EtcdError("RoleNotGranted");
    this.#users.set(name, { ...user, roles: user.roles.filter((other) => other !== role) });
    return this.#changed();
  }

  #roleAdd(name: string): object {
    if (name === "") throw new EtcdError("RoleEmpty");
    if (this.#roles.has(name)) throw new EtcdError("RoleAlreadyExist");
    this.#roles.set(name, { name: bytes(name), keyPermission: [] });
    return this.#changed();
  }

  #permissionsOf(name: string): readonly etcd.Permission[] {
    const role = this.#role(name);
    return name === rootName ? [everything] : role.keyPermission;
  }

  #roleDelete(name: string): object {
    if (this.#enabled && name === rootName) throw new EtcdError("InvalidAuthMgmt");
    this.#role(name);
    this.#roles.delete(name);
    for (const [username, user] of this.#users) {
      if (!user.roles.includes(name)) continue;
      this.#users.set(username, { ...user, roles: user.roles.filter((role) => role !== name) });
    }
    return this.#changed();
  }

  #roleGrant({ name, perm }: etcd.AuthRoleGrantPermissionRequest): object {
    if (perm === undefined) throw new EtcdError("PermissionNotGiven");
    if (!isValidPermission(perm)) throw new EtcdError("InvalidAuthMgmt");
    const role = this.#role(name);
    const permissions = role.keyPermission;
    // The first permission of that key is the one that a grant updates, as in etcd.
    const at = permissions.findIndex((p) => compareBytes(p.key, perm.key) >= 0);
    const found = permissions[at];
    const isSame = found !== undefined && isSameRange(found, perm);
    const keyPermission = isSame
      ? permissions.with(at, { ...found, permType: perm.permType })
      : [...permissions, perm].sort((a, b) => compareBytes(a.key, b.key));
    this.#roles.set(name, { ...role, keyPermission });
    return this.#changed();
  }

  #roleRevoke({ role: name, key, rangeEnd }: etcd.AuthRoleRevokePermissionRequest): object {
    const role = this.#role(name);
    const keyPermission = role.keyPermission.filter((p) => !isSameRange(p, { key, rangeEnd }));
    if (keyPermission.length === role.keyPermission.length) {
      throw new EtcdError("PermissionNotGranted");
    }
    this.#roles.set(name, { ...role, keyPermission });
    return this.#changed();
  }
}

type Range = Pick<etcd.Permission, "key" | "rangeEnd">;

function isSameRange(a: Range, b: Range): boolean {
  return keyText(a.key) === keyText(b.key) && keyText(a.rangeEnd) === keyText(b.rangeEnd);
}

function isRoot(user: User): boolean {
  return user.roles.includes(rootName);
}

const bytes = (name: string): Buffer =>
  name.isWellFormed() ? Buffer.from(name) : writeEscaped(name);
const text = (name: Uint8Array): string => readUTF8(Buffer.from(name), 0, name.length);
const byBytes = (a: string, b: string): number => Buffer.compare(bytes(a), bytes(b));

function sortedNames(map: ReadonlyMap<string, unknown>): string[] {
  return [...map.keys()].sort(byBytes);
}

/** What is not base64 is refused in the words etcd has for it. */
function hashBytes(base64: string): Uint8Array {
  const decoded = Buffer.from(base64, "base64");
  if (decoded.toString("base64") !== base64) throw new EtcdError("NoPasswordUser");
  return decoded;
}
