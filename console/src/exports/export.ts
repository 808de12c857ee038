import i18next from 'i18next';
import type { paths } from '../api/schema';

export type Export = paths['/api/v1/exports']['get']['responses'][200]['content']['application/json']['items'][number];
export type Kind = paths['/api/v1/exports/kinds']['get']['responses'][200]['content']['application/json']['items'][number];

export const busy = (e: Export): boolean => e.state === 'queued' || e.state === 'running';

/** What a file holds, in the trade's words. */
export const kindName = (kind: string): string => {
  const key = `exports.kind.${kind}`;
  return i18next.exists(key) ? i18next.t(key) : kind.replaceAll('_', ' ');
};

export const size = (bytes: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let at = 0;
  let n = bytes;
  while (n >= 1000 && at < units.length - 1) {
    n /= 1000;
    at += 1;
  }
  return `${new Intl.NumberFormat(i18next.language, { maximumFractionDigits: n < 10 && at > 0 ? 1 : 0 }).format(n)} ${units[at]}`;
};
