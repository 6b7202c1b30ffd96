/** A process of the system, by what it says of itself. */
export interface RoleUrl {
  readonly role: string;
  /** Base URL of its own HTTP server. */
  readonly url: string;
}

/** @returns processor seconds since their start, summed by role. A process that does not answer counts nothing. */
export async function cpuSeconds(roles: readonly RoleUrl[]): Promise<ReadonlyMap<string, number>> {
  const seconds = new Map<string, number>();
  await Promise.all(
    roles.map(async ({ role, url }) => {
      const text = await fetch(`${url}/metrics`).then(
        (response) => response.text(),
        () => '',
      );
      const used = Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1] ?? 0);
      seconds.set(role, (seconds.get(role) ?? 0) + used);
    }),
  );
  return seconds;
}
