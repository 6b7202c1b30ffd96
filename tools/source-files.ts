import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folders that hold no source of ours: dependencies, caches, reports, data. Dot folders are skipped as well. */
const NOT_SOURCE = new Set(['node_modules', 'coverage', 'dist', 'docs']);

export interface SourceFile {
  /** Relative to the root, with `/` on every platform: `core/contract/ids.ts`. */
  readonly path: string;
  readonly text: string;
}

/** Reads every TypeScript file below `root`, in the order of their paths, so that reports are stable. */
export const readSourceFiles = (root: string): SourceFile[] => {
  const files: SourceFile[] = [];
  const walk = (folder: string): void => {
    const entries = readdirSync(join(root, folder), { withFileTypes: true });
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!entry.name.startsWith('.') && !NOT_SOURCE.has(entry.name)) walk(path);
      } else if (/\.[cm]?tsx?$/.test(entry.name)) {
        files.push({ path, text: readFileSync(join(root, path), 'utf8') });
      }
    }
  };
  walk('');
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
};

/** Tests stand beside the code and have a few rights that the code has not. */
export const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.endsWith('.test.tsx');
