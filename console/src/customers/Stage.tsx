import i18next from 'i18next';
import { Badge } from '../ui/base';

export const stageTone: Record<string, 'good' | 'warn' | 'bad' | undefined> = { loyal: 'good', active: 'good', returned: 'good', 'at risk': 'warn', lapsed: 'bad' };

export const stageName = (stage: string): string => {
  const key = `word.${stage.replaceAll(' ', '_')}`;
  return i18next.exists(key) ? i18next.t(key) : stage;
};

/** Where somebody stands with the shop, in one word. */
export const StageBadge = ({ stage }: { stage: string }) => <Badge tone={stageTone[stage]}>{stageName(stage)}</Badge>;
