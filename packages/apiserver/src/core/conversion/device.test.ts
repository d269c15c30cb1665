import { expect, test } from "vitest";
import { convert } from "./convert.ts";

const beta = "resource.k8s.io/v1beta1";
const newest = "resource.k8s.io/v1";

test("a request's own members are its exactly; alternatives stay beside them", () => {
  const selectors = [{ cel: { expression: "true" } }];
  const either = { name: "b", firstAvailable: [{ name: "c", deviceClassName: "gpu" }] };
  const old = {
    apiVersion: beta,
    kind: "ResourceClaim",
    spec: {
      devices: {
        requests: [
          { name: "a", deviceClassName: "gpu", allocationMode: "ExactCount", count: 2, selectors },
          { ...either, deviceClassName: "" },
        ],
      },
    },
  };
  const converted = convert(old, newest);
  const exactly = { deviceClassName: "gpu", allocationMode: "ExactCount", count: 2, selectors };
  expect(converted).toEqual({
    apiVersion: newest,
    kind: "ResourceClaim",
    spec: { devices: { requests: [{ name: "a", exactly }, either] } },
  });
  expect(convert(converted, beta)).toEqual(old);
});

test("what a device has is its basic; a slice's zeros are no values", () => {
  const basic = { attributes: { model: { string: "a100" } } };
  const old = {
    apiVersion: beta,
    kind: "ResourceSlice",
    spec: { nodeName: "", allNodes: true, devices: [{ name: "gpu-0", basic }] },
  };
  const converted = convert(old, newest);
  expect(converted.spec).toEqual({ allNodes: true, devices: [{ name: "gpu-0", ...basic }] });
  expect(convert(converted, beta).spec).toEqual({
    allNodes: true,
    devices: [{ name: "gpu-0", basic }],
  });
});

test("between later versions only the name of the version changes", () => {
  const claim = { apiVersion: newest, kind: "ResourceClaim", spec: { devices: {} } };
  expect(convert(claim, "resource.k8s.io/v1beta2")).toEqual({
    ...claim,
    apiVersion: "resource.k8s.io/v1beta2",
  });
});
