// What the shop computes of each customer itself, and who lives together.
import i18next from 'i18next';
import { useTranslation } from 'react-i18next';
import type { Person } from '../api/types';
import { Badge, Why } from '../ui/base';
import * as f from '../ui/format';

type Computed = Person['computed'][number];

/** A computed value in the reader's words. */
export function computedText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return value ? i18next.t('yes') : i18next.t('no');
  if (typeof value === 'number') return f.number(Math.round(value * 100) / 100);
  if (Array.isArray(value)) return value.map((v) => computedText(v) ?? '').join(', ');
  return String(value);
}

export const computedName = (c: { name: string; title: string }): string => c.title || c.name.replaceAll('_', ' ');

export function ComputedTraits({ person }: { person: Person }) {
  const { t } = useTranslation();
  return (
    <ul className="body line-list">
      {person.computed.map((c: Computed) => {
        const text = computedText(c.value as unknown);
        return (
          <li key={c.name} className="row g12" style={{ minHeight: 34 }} data-testid={`computed-${c.name}`}>
            <span className="m2 sp el">{computedName(c)}</span>
            {!c.live ? <Badge>{t('computed.counting')}</Badge> : text === null ? <span className="m">{t('derived.unknown')}</span> : <span className="b el">{text}</span>}
            <span className="t12 nw">
              <Why title={computedName(c)} badge={text === null ? undefined : <span className="b">{text}</span>} sentence={c.expression} steps={[]} foot={[`trait.${c.name}`, c.valid_until && t('derived.until', { date: f.date(c.valid_until) })].filter(Boolean).join(' · ')} />
            </span>
          </li>
        );
      })}
    </ul>
  );
}
