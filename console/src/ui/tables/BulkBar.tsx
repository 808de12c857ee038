import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import * as f from '../format';
import { IconX } from '../icons';
import { useShortcut } from '../shortcuts';

/** How many rows are chosen, of how many, and what can be done with all of them. */
export function BulkBar({ count, total, clear, children }: { count: number; total?: number | null; clear: () => void; children: ReactNode }) {
  const { t } = useTranslation();
  useShortcut('Escape', clear, { enabled: count > 0 });
  if (count === 0) return null;
  return (
    <section className="bulkbar" aria-label={t('bulk.label')} data-testid="bulk-bar">
      <span role="status">{total != null ? t('bulk.countOf', { n: f.number(count), all: f.number(total) }) : t('bulk.count', { n: f.number(count) })}</span>
      <span className="sp" />
      {children}
      <button type="button" onClick={clear} aria-label={t('bulk.clear')}><IconX className="s" /> <kbd>Esc</kbd></button>
    </section>
  );
}
