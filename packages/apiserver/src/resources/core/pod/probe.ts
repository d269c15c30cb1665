/**
 * Probes and lifecycle hooks: exactly one handler each.
 *
 * Source  pkg/apis/core/validation/validation.go validateHandler, validateProbe
 */
import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from "@nanokube/api/core/v1";
import {
  check,
  type FieldError,
  type FieldPath,
  forbidden,
  invalid,
  nonNegative,
  notSupported,
  oneOf,
  required,
} from "../../field.ts";
import { httpHeaderName, portName, portNumber } from "../../names.ts";

export function validatePort(port: number | string | undefined, path: FieldPath): FieldError[] {
  if (typeof port === "string") return check(path, port, portName);
  return portNumber(port ?? 0).map((why) => invalid(path, port ?? 0, why));
}

function validateHTTPGet(action: HTTPGetAction, path: FieldPath): FieldError[] {
  const errors = action.path ? [] : [required(path.child("path"))];
  errors.push(...validatePort(action.port, path.child("port")));
  errors.push(...oneOf(path.child("scheme"), action.scheme, ["HTTP", "HTTPS"]));
  for (const header of action.httpHeaders ?? []) {
    errors.push(...check(path.child("httpHeaders"), header.name ?? "", httpHeaderName));
  }
  return errors;
}

type Handler = Pick<Probe, "exec" | "httpGet" | "tcpSocket" | "grpc"> &
  Pick<LifecycleHandler, "sleep">;

function validateOne(
  handler: Handler,
  type: keyof Handler,
  grace: number | undefined,
  path: FieldPath,
): FieldError[] {
  if (type === "exec") {
    return (handler.exec?.command ?? []).length > 0 ? [] : [required(path.child("command"))];
  }
  if (type === "httpGet") return validateHTTPGet(handler.httpGet ?? {}, path);
  if (type === "tcpSocket") return validatePort(handler.tcpSocket?.port, path.child("port"));
  if (type === "grpc") return validatePort(handler.grpc?.port, path.child("port"));
  const seconds = handler.sleep?.seconds ?? 0;
  if (grace === undefined || (seconds >= 0 && seconds <= grace)) return [];
  const why = `must be non-negative and less than terminationGracePeriodSeconds (${grace})`;
  return [invalid(path, seconds, why)];
}

const handlerTypes = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const;

function validateHandler(
  handler: Handler,
  grace: number | undefined,
  path: FieldPath,
): FieldError[] {
  const given = handlerTypes.filter((type) => handler[type] !== undefined);
  if (given.length === 0) return [required(path, "must specify a handler type")];
  return given.flatMap((type, i) =>
    i === 0
      ? validateOne(handler, type, grace, path.child(type))
      : [forbidden(path.child(type), "may not specify more than 1 handler type")],
  );
}

export type ProbeUse = "livenessProbe" | "readinessProbe" | "startupProbe";

export function validateProbe(
  probe: Probe | undefined,
  use: ProbeUse,
  grace: number | undefined,
  path: FieldPath,
): FieldError[] {
  if (probe === undefined) return [];
  const errors = validateHandler(probe, grace, path);
  for (const name of [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
  ] as const) {
    errors.push(...nonNegative(path.child(name), probe[name]));
  }
  const own = probe.terminationGracePeriodSeconds;
  const at = path.child("terminationGracePeriodSeconds");
  if (own !== undefined && own <= 0) errors.push(invalid(at, own, "must be greater than 0"));
  if (use === "readinessProbe") {
    if (own !== undefined) errors.push(invalid(at, own, "must not be set for readinessProbes"));
  } else if (probe.successThreshold !== 1) {
    errors.push(invalid(path.child("successThreshold"), probe.successThreshold ?? 0, "must be 1"));
  }
  return errors;
}

const plainSignals =
  "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT " +
  "STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX";
const range = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
const linuxSignals = [
  ...plainSignals.split(" ").map((name) => `SIG${name}`),
  ...range(15).map((n) => `SIGRTMIN+${n}`),
  ...range(14).map((n) => `SIGRTMAX-${n}`),
].sort();

export function validateLifecycle(
  lifecycle: Lifecycle,
  grace: number | undefined,
  os: string | undefined,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const hook of ["postStart", "preStop"] as const) {
    const handler = lifecycle[hook];
    if (handler !== undefined) errors.push(...validateHandler(handler, grace, path.child(hook)));
  }
  const signal = lifecycle.stopSignal;
  if (signal === undefined) return errors;
  const at = path.child("stopSignal");
  if (os === undefined) {
    errors.push(forbidden(at, "may not be set for containers with empty `spec.os.name`"));
  } else {
    const allowed = os === "windows" ? ["SIGKILL", "SIGTERM"] : linuxSignals;
    if (!allowed.includes(signal)) errors.push(notSupported(at, signal, allowed));
  }
  return errors;
}
