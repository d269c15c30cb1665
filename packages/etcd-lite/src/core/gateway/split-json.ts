/**
 * JSON values that follow each other, out of text that comes in pieces: each is given as soon as
 * its last letter is there.
 *
 * Only brackets and quotes are looked at; whether it is JSON is for the parser to say. What is
 * neither an object nor an array ends with the blank after it, or with the text.
 */
export class JsonSplitter {
  #text = "";
  /** What was looked at already. */
  #at = 0;
  #depth = 0;
  #isInString = false;

  push(piece: string): string[] {
    this.#text += piece;
    const values: string[] = [];
    while (this.#at < this.#text.length) {
      const letter = this.#text[this.#at++]!;
      if (this.#isInString) this.#stepInString(letter);
      else if (letter === '"') this.#isInString = true;
      else if (letter === "{" || letter === "[") this.#depth++;
      else if (letter === "}" || letter === "]") {
        this.#depth--;
        if (this.#depth <= 0) this.#take(values);
      } else if (this.#depth === 0 && /\s/.test(letter)) this.#take(values);
    }
    return values;
  }

  /** What is left when no more comes. */
  end(): string[] {
    const rest = this.#text.trim();
    this.#text = "";
    return rest === "" ? [] : [rest];
  }

  #stepInString(letter: string): void {
    if (letter === "\\") this.#at++;
    else if (letter === '"') this.#isInString = false;
  }

  #take(values: string[]): void {
    const value = this.#text.slice(0, this.#at).trim();
    this.#text = this.#text.slice(this.#at);
    this.#at = 0;
    this.#depth = 0;
    if (value !== "") values.push(value);
  }
}
