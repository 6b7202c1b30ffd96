import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDevelopmentCertificates } from './development-certificates.ts';

const NOW = Date.UTC(2030, 0, 1);
const DAY = 86_400_000;
const NODES = [
  { name: 'gateway-1', role: 'gateway' },
  { name: 'service-1.eu.example', role: 'message-service' },
] as const;

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'parley-certificates-')), 'tls');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const make = (now = NOW, nodes: Parameters<typeof makeDevelopmentCertificates>[0]['nodes'] = NODES) =>
  makeDevelopmentCertificates({ folder, nodes, now });
const read = (path = ''): X509Certificate => new X509Certificate(readFileSync(path));
const contents = (): Map<string, string> =>
  new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));

describe('certificates of a development cluster', () => {
  it('come from one authority, name node and role, and serve both ends of a link', async () => {
    const files = await make();
    const authority = read(files.get('gateway-1')?.authority);
    expect(authority.ca).toBe(true);
    const certificate = read(files.get('service-1.eu.example')?.certificate);
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(certificate.checkIssued(authority)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.subjectAltName).toBe(
      'DNS:service-1.eu.example, URI:spiffe://parley/message-service/service-1.eu.example',
    );
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(certificate.validToDate.getTime()).toBe(NOW + 14 * DAY);
    expect(certificate.validFromDate.getTime()).toBeLessThan(NOW);
  });

  it('are for their owner alone', async () => {
    await make();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toHaveLength(6);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  });

  it('stay while they are good for long, and are made anew when half of their life is over', async () => {
    await make();
    const before = contents();
    await make(NOW + 6 * DAY);
    expect(contents()).toEqual(before);
    await make(NOW + 8 * DAY);
    const after = contents();
    expect(after.get('authority.crt')).toBe(before.get('authority.crt'));
    expect(after.get('gateway-1.crt')).not.toBe(before.get('gateway-1.crt'));
    await make(NOW + 50 * DAY);
    expect(contents().get('authority.crt')).not.toBe(before.get('authority.crt'));
    const authority = read(join(folder, 'authority.crt'));
    expect(read(join(folder, 'gateway-1.crt')).verify(authority.publicKey)).toBe(true);
  });

  it('are made anew for a node that has another role now', async () => {
    await make();
    const files = await make(NOW, [{ name: 'gateway-1', role: 'all' }]);
    expect(read(files.get('gateway-1')?.certificate).subjectAltName).toContain(
      'URI:spiffe://parley/all/gateway-1',
    );
  });

  it('are refused for a name that is none', async () => {
    for (const name of ['', '../gateway', 'Gateway', 'a b', 'authority', 'gateway_1'])
      await expect(make(NOW, [{ name, role: 'gateway' }])).rejects.toThrow('must be a DNS name');
  });
});
