import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { addressOf, originOf } from './peer-address.ts';

/** A request, as far as these look at it. */
function request(remoteAddress: string, headers: Record<string, string> = {}): IncomingMessage {
  return { headers, socket: { remoteAddress, localPort: 8080 } } as unknown as IncomingMessage;
}

describe('the address of a peer', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0db8:0001::ffff', '2001:db8:1:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['127.0.0.1', undefined],
    ['::1', undefined],
    ['::ffff:127.0.0.1', undefined],
  ])('%s is known as %s', (remote, known) => {
    expect(addressOf(request(remote), false)).toBe(known);
  });

  test('is what our own proxy wrote, and only when there is one', () => {
    const headers = { 'x-forwarded-for': '198.51.100.1, 203.0.113.7' };
    expect(addressOf(request('10.0.0.1', headers), false)).toBe('10.0.0.1');
    // What stands before the last entry came from the peer, who may write what he likes.
    expect(addressOf(request('10.0.0.1', headers), true)).toBe('203.0.113.7');
    expect(addressOf(request('10.0.0.1'), true)).toBe('10.0.0.1');
  });

  test.each([
    ['203.0.113.7:41234', '203.0.113.7'],
    ['[2001:db8::1]:41234', '2001:db8:0:0::/64'],
    ['[2001:db8::1]', '2001:db8:0:0::/64'],
    ['127.0.0.1:41234', undefined],
    ['2001:db8::1:4123', '2001:db8:0:0::/64'],
  ])('has no port where the proxy writes one: %s is known as %s', (entry, known) => {
    expect(addressOf(request('10.0.0.1', { 'x-forwarded-for': entry }), true)).toBe(known);
  });
});

describe('the origin that a peer knows us by', () => {
  test.each([
    [{ host: 'chat.example:8080' }, 'http://chat.example:8080'],
    [{ host: '[::1]:8080' }, 'http://[::1]:8080'],
    [{ host: 'chat.example/evil?x=' }, 'http://localhost:8080'],
    [{ host: 'user@chat.example' }, 'http://localhost:8080'],
    [{}, 'http://localhost:8080'],
  ])('%j', (headers, origin) => {
    expect(originOf(request('127.0.0.1', headers as Record<string, string>), false)).toBe(origin);
  });

  test('is what our own proxy wrote, and only when there is one', () => {
    const headers = { host: 'inner:1', 'x-forwarded-host': 'chat.example', 'x-forwarded-proto': 'https' };
    expect(originOf(request('10.0.0.1', headers), true)).toBe('https://chat.example');
    expect(originOf(request('10.0.0.1', headers), false)).toBe('http://inner:1');
  });
});
