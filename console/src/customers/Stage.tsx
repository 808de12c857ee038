import i18next from 'i18next';
import { Badge } from '../ui/base';

export const stageTone: Record<string, 'good' | 'warn' | 'bad' | undefined> = { loyal: 'good', active: 'good', returned: 'good', 'at risk': 'warn', lapsed: 'bad' };

/** Where somebody stands with the shop, in one word. */
export function StageBadge({ stage }: { stage: string }) {
  const key = `word.${stage.replaceAll(' ', '_')}`;
  return <Badge tone={stageTone[stage]}>{i18next.exists(key) ? i18next.t(key) : stage}</Badge>;
}
