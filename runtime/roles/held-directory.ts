import type { NodeDirectory, NodeRecord } from '../ports/node-directory.ts';

/** A directory in which this process shows itself only once it can do its work. */
export interface HeldDirectory extends NodeDirectory {
  /** Announces now what was to be announced. */
  release(): void;
}

/** Links announce their process as soon as they listen; its stages start after that. */
export function holdAnnouncement(directory: NodeDirectory): HeldDirectory {
  let held: NodeRecord | undefined;
  let released = false;
  return {
    ...directory,
    announce(record) {
      held = record;
      if (released) directory.announce(record);
    },
    release() {
      released = true;
      if (held !== undefined) directory.announce(held);
    },
  };
}
