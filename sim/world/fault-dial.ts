/** A strength that several faults may turn up at a time; the strongest counts. 0 when none does. */
export class FaultDial {
  value = 0;
  readonly #strengths: number[] = [];

  /** @param strength above 0. @returns what takes this one away again. */
  turnUp(strength: number): () => void {
    this.#strengths.push(strength);
    this.#update();
    return () => {
      this.#strengths.splice(this.#strengths.indexOf(strength), 1);
      this.#update();
    };
  }

  #update(): void {
    this.value = Math.max(0, ...this.#strengths);
  }
}
