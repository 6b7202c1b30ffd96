const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user has no right to it',
  EPERM: 'this user has no right to it',
  EROFS: 'the file system can only be read',
  EEXIST: 'there is a file where a folder should be',
  ENOTDIR: 'there is a file where a folder should be',
  EISDIR: 'it is a folder, not a file',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
};

/**
 * What the file system refused, in words. ENOENT is not among it: what people name and is not there is told by who looks for
 * it, and whatever else is missing is a defect.
 * @returns undefined when it is something else.
 */
export function explainFileError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = '', path } = error as NodeJS.ErrnoException;
  const reason = REASONS[code];
  return reason === undefined || path === undefined ? undefined : `${path}: ${reason}`;
}
