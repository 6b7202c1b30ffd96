import type { Limits } from '../../core/contract/limits.ts';
import type { DevelopmentTokens } from '../gateway/development-tokens.ts';
import { pollRoutes } from '../gateway/poll-routes.ts';
import { chatRoutes } from '../http-api/chat-routes.ts';
import { developmentRoutes } from '../http-api/development-routes.ts';
import { mediaRoutes } from '../http-api/media-routes.ts';
import type { Route } from '../http-api/router.ts';
import type { Pipeline } from '../pipeline.ts';
import type { MediaStore } from '../ports/media-store.ts';
import type { ChatStore } from '../ports/message-store.ts';

export interface DeviceRoutesOptions {
  readonly pipeline: Pipeline;
  readonly store: ChatStore;
  /** Undefined for a deployment without media. */
  readonly media: MediaStore | undefined;
  readonly limits: Limits;
  /** Issues tokens to anybody; undefined outside development. */
  readonly development: DevelopmentTokens | undefined;
  readonly unavailable: () => string | undefined;
}

/** What a process answers to devices and apps over HTTP, by the stages that it runs. */
export function deviceRoutes(options: DeviceRoutesOptions): readonly Route[] {
  const { pipeline, store, media, limits, development, unavailable } = options;
  const { gateway, service } = pipeline;
  return [
    ...(gateway === undefined ? [] : pollRoutes({ polls: gateway.polls, limits, unavailable })),
    ...(service === undefined ? [] : chatRoutes({ store, service, limits })),
    ...(service === undefined || media === undefined
      ? []
      : [...mediaRoutes({ media, store, limits }), ...media.routes]),
    ...(development === undefined ? [] : developmentRoutes(development)),
  ];
}
