// Pieces that the page of places that stand still shares with the store app.
import { useTranslation } from 'react-i18next';
import { word } from '../orders/parts';
import { Badge } from '../ui/base';
import * as f from '../ui/format';
import type { Paused } from './query';

/** When a place goes on, as far as anybody knows. */
export function untilText(p: { until?: string | null; assumed: boolean }): string {
  if (!p.until) return f.NONE;
  const at = f.dayKey(p.until) === f.dayKey(Date.now()) ? f.time(p.until) : `${f.dayMonth(p.until)}, ${f.time(p.until)}`;
  return at;
}

export const KIND_TONE: Record<string, 'warn' | 'bad' | undefined> = { alert: 'bad', blackout: 'warn', closed: 'bad', hand: 'warn', curfew: undefined };
export const PauseBadge = ({ kind }: { kind: string }) => <Badge tone={KIND_TONE[kind]}>{word('still.kind', kind)}</Badge>;

/** One sentence: why it stands still, since when, and until when. */
export function useStill(): (p: Paused) => string {
  const { t } = useTranslation();
  return (p) => {
    const words = { why: word('still.kind', p.kind), from: f.brief(p.from), until: untilText(p) };
    return p.until ? t(p.assumed ? 'still.about' : 'still.until', words) : t('still.open', words);
  };
}
