import { expect, test } from "vitest";
import { checkProxyable } from "./proxyable.ts";

test.each(["10.0.0.1", "192.168.1.1", "8.8.8.8", "240.0.0.1", "fd00::1", "2001:db8::1", "node-1"])(
  "%s may be asked",
  (host) => {
    expect(() => checkProxyable(host, false)).not.toThrow();
  },
);

test.each(["127.0.0.1", "127.1.2.3", "::1", "localhost", "::ffff:127.0.0.1"])(
  "%s only where pods are processes beside the server",
  (host) => {
    expect(() => checkProxyable(host, false)).toThrow("address not allowed");
    expect(() => checkProxyable(host, true)).not.toThrow();
  },
);

test.each(["169.254.169.254", "::ffff:169.254.1.1", "fe80::1", "0.0.0.0", "::", "224.0.0.1"])(
  "%s never",
  (host) => {
    expect(() => checkProxyable(host, true)).toThrow("address not allowed");
  },
);

test.each(["239.1.1.1", "ff02::1", "255.255.255.255"])("nor %s", (host) => {
  expect(() => checkProxyable(host, true)).toThrow("address not allowed");
});
