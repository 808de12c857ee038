import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { When } from '../ui/base';
import * as f from '../ui/format';
import { IconArrowRight } from '../ui/icons';
import type { Places } from './parts';
import type { Movement } from './query';

/** A moment after which a movement counts as told late. */
const LATE_MS = 60_000;
export const isLate = (m: Pick<Movement, 'at' | 'recorded_at'>): boolean => Date.parse(m.recorded_at) - Date.parse(m.at) > LATE_MS;

/** From where to where, with the condition where it is not sellable. */
export function Way({ of: m, places }: { of: Movement; places: Places }) {
  const { t } = useTranslation();
  const end = (id: string, condition: string) => `${places.name(id)}${condition === 'sellable' ? '' : `, ${t(`condition.${condition}`)}`}`;
  return (
    <span className="row g4 el">
      <span className="el">{end(m.from, m.from_condition)}</span>
      <IconArrowRight className="s m" aria-label={t('move.towards')} />
      <span className="el">{end(m.to, m.to_condition)}</span>
    </span>
  );
}

export const paperName = (m: Movement): string => (m.reference || (m.external_id.startsWith('#') ? '' : m.external_id)) || `№ ${m.document_id}`;

/** A movement in two lines, as the page of an SKU lists them. */
export function MovementLine({ of: m, places }: { of: Movement; places: Places }) {
  const { t } = useTranslation();
  return (
    <div className="row g12" style={{ padding: '6px 0' }} data-testid="movement">
      <span className="b r" style={{ minWidth: 40 }}>{f.number(m.quantity)}</span>
      <span className="col sp">
        <Way of={m} places={places} />
        <span className="t12 m2 el">{[t(`paper.${m.kind}`), m.reason, m.source === 'api' ? m.actor : m.source].filter(Boolean).join(' · ')}{isLate(m) && <span className="warn-text"> · {t('movements.late', { time: f.brief(m.recorded_at) })}</span>}</span>
      </span>
      <span className="col" style={{ alignItems: 'flex-end' }}>
        <When at={m.at} className="m2" />
        <Link to="/stock/movements" search={{ document: m.document_id }} className="t12">{paperName(m)}</Link>
      </span>
    </div>
  );
}
