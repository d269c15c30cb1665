/** Never answers. */
export function create() {
  return {
    begin() {
      for (;;) {
        /* and again */
      }
    },
  };
}
