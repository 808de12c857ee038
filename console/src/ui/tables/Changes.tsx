import { useTranslation } from 'react-i18next';
import i18next from 'i18next';
import * as f from '../format';
import type { BulkEditPreview } from './query';

export function valueText(v: unknown): string {
  if (v === null || v === undefined) return f.NONE;
  if (typeof v === 'boolean') return i18next.t(v ? 'yes' : 'no');
  return typeof v === 'number' ? f.number(v) : String(v);
}

/** What would change, row by row; rows at fault first, each with its reason. */
export function ChangeList({ preview, rowText, traitName }: { preview: BulkEditPreview; rowText?: (row: number) => string; traitName: (name: string) => string }) {
  const { t } = useTranslation();
  const rows = [...preview.rows].sort((a, b) => Number(Boolean(b.error)) - Number(Boolean(a.error)) || a.row - b.row);
  const shown = rows.filter((r) => r.error || r.changes.length > 0).slice(0, 100);
  return (
    <div className="col g8">
      <p role="status" data-testid="change-counts">
        <span className="b">{t('edits.willChange', { count: preview.changed, n: f.number(preview.changed) })}</span>
        {preview.unchanged > 0 && <span className="m2"> · {t('edits.alreadySo', { n: f.number(preview.unchanged) })}</span>}
        {preview.failed > 0 && <span className="bad-text"> · {t('edits.passedOver', { count: preview.failed, n: f.number(preview.failed) })}</span>}
      </p>
      {shown.length > 0 && (
        <div className="changes" tabIndex={0} role="group" aria-label={t('edits.preview')}>
          <table>
            <thead><tr><th scope="col">{t('col.customer')}</th><th scope="col">{t('edits.change')}</th></tr></thead>
            <tbody>
              {shown.map((r) => (
                <tr key={r.row} data-testid="change-row">
                  <td>{r.name ?? rowText?.(r.row) ?? (r.person_id ? `№ ${r.person_id}` : f.NONE)}</td>
                  <td>
                    {r.error ? (
                      <span className="bad-text">{t(`edits.error.${r.error}`, { name: r.at ? traitName(r.at) : '' })}</span>
                    ) : (
                      r.changes.map((c) => (
                        <div key={c.name}>
                          <span className="m2">{traitName(c.name)}: </span>
                          <del>{valueText(c.before)}</del> → <ins>{valueText(c.after)}</ins>
                        </div>
                      ))
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows.length > shown.length && preview.changed > 100 && <span className="t12 m">{t('edits.first', { n: f.number(100) })}</span>}
    </div>
  );
}
