/**
 * Where in an object something is wrong: `spec.containers[0].name`, `metadata.labels[app]`.
 *
 * A path is a cheap linked list: children are made on every step of a validation, the text only
 * on failure.
 *
 * Source  k8s.io/apimachinery/pkg/util/validation/field/path.go
 */
export class FieldPath {
  readonly #parent: FieldPath | undefined;
  readonly #name: string;
  readonly #subscript: boolean;

  private constructor(parent: FieldPath | undefined, name: string, subscript: boolean) {
    this.#parent = parent;
    this.#name = name;
    this.#subscript = subscript;
  }

  /** The start of a path; more names follow each other as children. */
  static root(name: string, ...more: string[]): FieldPath {
    return new FieldPath(undefined, name, false).#descend(more);
  }

  child(name: string, ...more: string[]): FieldPath {
    const path = new FieldPath(this, name, false);
    return more.length === 0 ? path : path.#descend(more);
  }

  index(i: number): FieldPath {
    return new FieldPath(this, String(i), true);
  }

  key(k: string): FieldPath {
    return new FieldPath(this, k, true);
  }

  toString(): string {
    const parts: string[] = [];
    let path: FieldPath | undefined = this;
    while (path !== undefined) {
      const parent: FieldPath | undefined = path.#parent;
      if (path.#subscript) parts.push(`[${path.#name}]`);
      else parts.push(parent === undefined ? path.#name : `.${path.#name}`);
      path = parent;
    }
    return parts.reverse().join("");
  }

  #descend(names: string[]): FieldPath {
    let path: FieldPath = this;
    for (const name of names) path = new FieldPath(path, name, false);
    return path;
  }
}
