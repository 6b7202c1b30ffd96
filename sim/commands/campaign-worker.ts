import { answerParent } from './answer-parent.ts';
import { type Chunk, runChunk } from './campaign-work.ts';
import { withoutAmbient } from './without-ambient.ts';

/** A process that runs chunks of seeds for a campaign, one after the other, until the campaign lets go of it. */
process.on('message', (chunk: Chunk) => answerParent(withoutAmbient(() => runChunk(chunk))));
process.on('disconnect', () => process.exit(0));
// The campaign is told to stop by the terminal; its workers end with it.
process.on('SIGINT', () => {});
