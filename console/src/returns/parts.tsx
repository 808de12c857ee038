// Pieces that the pages of returns share.
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { word } from '../orders/parts';
import { Badge, None } from '../ui/base';
import * as f from '../ui/format';

const TONES: Record<string, 'good' | 'warn' | 'bad' | 'info' | undefined> = {
  requested: 'warn', approved: 'info', partly_received: 'info', received: 'warn', refunded: 'good', fulfilled: 'good', open: 'warn', denied: undefined, resolved: 'good',
  accepted: 'info', waiting: 'warn', in_work: 'info', ready: 'good', closed: 'good', refused: undefined, pending: 'info', failed: 'bad', settled: 'good', credited: 'good',
};
/** The state of a return, claim, case or refund. */
export const AfterBadge = ({ of, state }: { of: 'rstate' | 'cstate' | 'astate' | 'mstate'; state: string }) => <Badge tone={TONES[state]}>{word(of, state)}</Badge>;
export const STATE_OF = { returns: 'rstate', claims: 'cstate', cases: 'astate' } as const;

/** What waits for nobody any more. */
export const isOver = (state: string): boolean => ['refunded', 'fulfilled', 'cancelled', 'resolved', 'denied', 'closed', 'refused'].includes(state);

/** By when the next step is due; late stands out with a word. */
export function Due({ at, over }: { at: string; over: boolean }) {
  const { t } = useTranslation();
  if (over) return <None why={t('after.isOver')} />;
  const left = Date.parse(at) - Date.now();
  const text = f.dayKey(at) === f.dayKey(Date.now()) ? f.time(at) : f.dayMonth(at);
  return (
    <time dateTime={at} title={f.exact(at)} className={left < 0 ? 'bad-text b' : left < 86_400_000 ? 'warn-text' : ''}>
      {left < 0 ? t('after.late', { day: text }) : text}
    </time>
  );
}

/** Pictures that the customer sent: references of media, each opening in full. */
export function Photos({ of }: { of: string[] }) {
  const { t } = useTranslation();
  if (of.length === 0) return null;
  const at = (ref: string) => (/^[0-9a-f]{64}$/.test(ref) ? `/media/${ref}` : /^\/media\/[0-9a-f]{64}$/.test(ref) ? ref : null);
  return (
    <ul className="row wrap-row g8" aria-label={t('after.photos')} style={{ listStyle: 'none' }} data-testid="photos">
      {of.map((ref, i) => {
        const url = at(ref);
        return (
          <li key={ref}>
            {url ? <a href={url} target="_blank" rel="noreferrer"><img src={`${url}/96`} alt={t('after.photo', { n: i + 1 })} width={72} height={72} loading="lazy" style={{ objectFit: 'cover', borderRadius: 6, border: '1px solid var(--line)' }} /></a> : <span className="mono t12 m2 wrap">{ref}</span>}
          </li>
        );
      })}
    </ul>
  );
}

const TABS = [['returns', '/returns'], ['claims', '/returns/claims'], ['cases', '/returns/cases'], ['refunds', '/returns/refunds'], ['rates', '/returns/rates'], ['policy', '/returns/policy']] as const;
/** Moves between the pages of what comes after the sale. */
export function AfterTabs({ at }: { at: (typeof TABS)[number][0] }) {
  const { t } = useTranslation();
  return (
    <nav className="tabs" aria-label={t('nav.returns')}>
      {TABS.map(([id, to]) => <Link key={id} to={to} search={{}} className={at === id ? 'on' : ''} aria-current={at === id ? 'page' : undefined} data-testid={`after-tab-${id}`}>{t(`after.tab.${id}`)}</Link>)}
    </nav>
  );
}

/** Leads to an order by the number that people know. */
export const OrderLink = ({ id, number }: { id: string; number?: string }) => <Link to="/orders/$id" params={{ id: number || id }} className="inline-link">{number || id}</Link>;
