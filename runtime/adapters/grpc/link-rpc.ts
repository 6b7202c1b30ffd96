import type { ChannelOptions, MethodDefinition } from '@grpc/grpc-js';
import type { LinkLimits } from './link-limits.ts';

const asItIs = (bytes: Buffer): Buffer => bytes;

/** The only method: messages are UTF-8 JSON as `link-items.ts` writes them, so there is nothing to serialize. */
export const EXCHANGE: MethodDefinition<Buffer, Buffer> = {
  path: '/parley.links.v1.Links/Exchange',
  requestStream: true,
  responseStream: true,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
};

/** Room for a batch that was nearly full when its largest item came; every character may take three bytes. */
const messageBytes = (limits: LinkLimits): number => 3 * (limits.batchBytes + limits.itemBytes) + 16;

export function channelOptions(limits: LinkLimits): ChannelOptions {
  return {
    'grpc.keepalive_time_ms': limits.keepaliveMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.max_receive_message_length': messageBytes(limits),
    'grpc.max_send_message_length': messageBytes(limits),
    'grpc-node.flow_control_window': limits.windowBytes,
    // We repeat, reconnect and count ourselves, and links never leave the network of the processes.
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_channelz': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
  };
}
