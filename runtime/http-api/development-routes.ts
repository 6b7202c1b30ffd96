import type { DevelopmentTokens } from '../gateway/development-tokens.ts';
import { deviceOf, userOf } from './development-names.ts';
import { devTokenBody, devUserParams, parseInput } from './request-schema.ts';
import type { Route } from './router.ts';

/** Only in development mode: anybody may be anybody, by name. */
export function developmentRoutes(tokens: DevelopmentTokens): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/dev/token',
      auth: 'none',
      input: { body: devTokenBody },
      async handle({ body }) {
        const input = parseInput(devTokenBody, body);
        const userId = userOf(input.userId);
        const deviceId = deviceOf(userId, input.deviceId);
        return {
          status: 200,
          json: { token: await tokens.issue({ userId, deviceId }, input.expiresInS), userId, deviceId },
        };
      },
    },
    {
      method: 'GET',
      path: '/v1/dev/users/:name',
      auth: 'none',
      input: { params: devUserParams },
      handle: ({ params }) => {
        const { name } = parseInput(devUserParams, { name: decoded(params['name'] ?? '') });
        return { status: 200, json: { name, userId: userOf(name) } };
      },
    },
  ];
}

/** A segment of a path as it was meant (RFC 3986 section 2.1): letters of most languages travel as `%…`. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
