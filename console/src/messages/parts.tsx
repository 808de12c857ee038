import { useTranslation } from 'react-i18next';
import { Link } from '@tanstack/react-router';
import type { Message } from '../api/types';
import { gateText, reasonText } from '../customers/timeline';
import { Badge, Why } from '../ui/base';
import * as f from '../ui/format';
import { said } from '../words/server';

export const STATUSES = ['pending', 'stopped', 'sending', 'sent', 'refused', 'unknown'] as const;
export type Status = (typeof STATUSES)[number];
const tones: Record<Status, 'good' | 'warn' | 'bad' | 'info' | undefined> = { pending: undefined, stopped: 'warn', sending: 'info', sent: 'good', refused: 'bad', unknown: 'warn' };

export function useStatusName(): (s: Status) => string {
  const { t } = useTranslation();
  return (s) =>
    ({ pending: t('status.pending'), stopped: t('status.stopped'), sending: t('status.sending'), sent: t('status.sent'), refused: t('status.refused'), unknown: t('status.unknown') })[s];
}

export function StatusBadge({ status }: { status: Status }) {
  const name = useStatusName();
  return <Badge tone={tones[status]}>{name(status)}</Badge>;
}

/** Every gate that the message passed or met, in the order in which they are asked. */
export function MessageWhy({ message: m }: { message: Message }) {
  const { t } = useTranslation();
  const title = m.status === 'stopped' ? t('why.notSent') : m.status === 'refused' ? t('why.refused') : m.status === 'unknown' ? t('why.unknown') : t('why.sent');
  const failed = m.why.find((g) => !g.passed);
  return (
    <Why
      title={title}
      badge={m.reason ? <Badge tone={m.status === 'sent' ? 'good' : 'warn'}>{reasonText(m.reason)}</Badge> : undefined}
      sentence={said(failed?.detail) || undefined}
      steps={m.why.map((g) => ({ passed: g.passed, text: gateText(g.gate), detail: g.passed ? said(g.detail) : undefined }))}
      foot={t('why.checked', { time: f.exact(m.settled_at ?? m.intended_at) })}
      rule={m.rule_id ? <Link to="/rules" search={{ sel: m.rule_id }}>{t('why.rule', { name: m.rule_name ?? m.rule_id })}</Link> : undefined}
    />
  );
}
