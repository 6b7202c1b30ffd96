/** The configuration is wrong: every fault, each naming its key, what was given and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(
      faults.length === 1
        ? `the configuration is wrong: ${faults[0]}`
        : `the configuration is wrong in ${faults.length} places:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    );
    this.faults = faults;
  }
}
