const SLAB_BYTES = 65_536;

/** Collects what is to be sent, so that a whole batch of answers leaves in one write. */
export class Output {
  /** Where `reserve` made room. */
  slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #from = 0;
  #to = 0;
  readonly #write: (bytes: Buffer) => void;

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  /** Room for so many bytes, which the caller fills: the position in `slab`. Bytes once written out are never touched again. */
  reserve(bytes: number): number {
    if (this.#to + bytes > this.slab.length) {
      this.flush();
      this.slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
      this.#from = 0;
      this.#to = 0;
    }
    const at = this.#to;
    this.#to += bytes;
    return at;
  }

  add(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.slab.set(bytes, at);
  }

  flush(): void {
    if (this.#to === this.#from) return;
    const bytes = this.slab.subarray(this.#from, this.#to);
    this.#from = this.#to;
    this.#write(bytes);
  }
}
