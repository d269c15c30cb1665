import { expect, test } from "vitest";
import { normalizeImageName } from "./image-reference.ts";

const cases = [
  // written                              stored
  ["busybox", "docker.io/library/busybox:latest"],
  ["busybox:1.36", "docker.io/library/busybox:1.36"],
  ["nginx/unit", "docker.io/nginx/unit:latest"],
  ["registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"],
  ["localhost/app", "localhost/app:latest"],
  ["localhost:5000/app:v1", "localhost:5000/app:v1"],
  ["index.docker.io/library/node:24", "docker.io/library/node:24"],
  ["app@sha256:abc", "docker.io/library/app@sha256:abc"],
] as const;

test.for(cases)("%s is stored as %s", ([written, stored]) => {
  expect(normalizeImageName(written)).toBe(stored);
});

test("a name that is none is refused in upstream's words", () => {
  expect(() => normalizeImageName("Busy Box")).toThrow("invalid reference format");
});
