/** Cases in which only our status is compared, and why the rest differs. */
export const knownDifferences: Readonly<Record<string, string>> = {
  "get YAML": 'the key "." is quoted, which YAML allows and Go does not do',
  "patch to a wrong type": "the rejected object is quoted with its members in another order",
  "patch with an unknown field, strict":
    "the rejected object is quoted with its members in another order",
  "a pod's command may not": "Go's diff of the two specs is not printed",
  "a new finalizer is too late": "upstream reports the same error twice",
};
