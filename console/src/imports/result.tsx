import i18next from 'i18next';
import { useTranslation } from 'react-i18next';
import type { Job } from '../jobs/job';
import { Link } from '@tanstack/react-router';
import { NumberStrip, Panel } from '../ui/base';
import * as f from '../ui/format';
import { Json } from '../ui/Json';

export interface BadRow { line: number; column: string; reason: string; value: string; rest_taken?: boolean }
interface Quality {
  rows: number;
  completeness: Record<string, { filled: number; permille: number }>;
  duplicate_emails: number;
  duplicate_phones: number;
  flaws: Record<string, number>;
}
/** What an import's job says at its end; a dry run says more. */
export interface Result {
  kind?: string;
  dry_run?: boolean;
  tally?: { rows: number; events: number; duplicates: number; rejected_rows: number; dropped_values: number };
  report?: boolean | number | null;
  resolve_job_id?: string;
  recognised?: { people: number; candidates: number; filed: number; joined: number; left: number };
  first?: unknown[];
  bad?: BadRow[];
  quality?: Quality;
}
export const resultOf = (j: Job | undefined): Result | null => (j?.result as Result | null | undefined) ?? null;

export const kindName = (kind: string): string => {
  const key = `imports.kind.${kind}`;
  return i18next.exists(key) ? i18next.t(key) : kind;
};
/** A meaning in the trade's words; those that take a name keep it behind them. */
export function meaningName(meaning: string): string {
  const [head, name] = meaning.includes(':') ? [meaning.slice(0, meaning.indexOf(':') + 1), meaning.slice(meaning.indexOf(':') + 1)] : [meaning, ''];
  const key = `meaning.${head}`;
  const word = i18next.exists(key) ? i18next.t(key) : head;
  return name ? `${word} ${name}` : word;
}

export function Outcome({ result: r }: { result: Result }) {
  const { t } = useTranslation();
  return (
    <>
      {r.tally && (
        <NumberStrip
          calm
          label={t('imports.counts')}
          items={[
            { label: t('imports.rows'), value: f.number(r.tally.rows), testId: 'import-rows' },
            { label: r.dry_run ? t('imports.wouldBe') : t('imports.newEvents'), value: f.number(r.tally.events), testId: 'import-events' },
            { label: t('imports.known'), value: f.number(r.tally.duplicates), note: t('imports.knownNote') },
            { label: t('imports.notTaken'), value: f.number(r.tally.rejected_rows), tone: r.tally.rejected_rows ? 'bad' : undefined, testId: 'import-rejected' },
            { label: t('imports.dropped'), value: f.number(r.tally.dropped_values), tone: r.tally.dropped_values ? 'warn' : undefined, note: t('imports.droppedNote') },
          ]}
        />
      )}
      {r.recognised ? (
        <div className="notice" data-testid="import-recognised"><div className="col sp"><span className="b">{t('imports.recognised2')}</span><span className="t12">{t('imports.recognised2Text', { people: f.number(r.recognised.people), candidates: f.number(r.recognised.candidates), filed: f.number(r.recognised.filed), joined: f.number(r.recognised.joined) })}</span></div>{r.recognised.filed > 0 && <Link to="/identity" className="textlink">{t('imports.toReview')}</Link>}</div>
      ) : r.resolve_job_id ? <p className="m2">{t('imports.recognising')}</p> : null}
      {r.bad && r.bad.length > 0 && <BadRows rows={r.bad} title={t('imports.badRows')} />}
      {r.quality && r.quality.rows > 0 && <QualityPanel q={r.quality} />}
      {r.first && r.first.length > 0 && (
        <Panel title={t('imports.first')}><div className="body"><Json value={r.first} label="JSON" /></div></Panel>
      )}
    </>
  );
}

export function BadRows({ rows, title }: { rows: BadRow[]; title: string }) {
  const { t } = useTranslation();
  return (
    <Panel title={title} count={f.number(rows.length)} testId="bad-rows">
      <div className="tbl" style={{ maxHeight: 320 }} tabIndex={0} role="group" aria-label={title}>
        <table>
          <thead><tr><th scope="col" style={{ width: 72 }}>{t('imports.line')}</th><th scope="col" style={{ width: '18%' }}>{t('imports.column')}</th><th scope="col">{t('col.reason')}</th><th scope="col">{t('imports.value')}</th></tr></thead>
          <tbody>
            {rows.map((b, i) => (
              <tr key={i}>
                <td style={{ height: 36 }}>{f.number(b.line)}</td>
                <td>{b.column || f.NONE}</td>
                <td className="bad-text" title={b.reason}>{b.reason}{b.rest_taken ? <span className="m2"> · {t('imports.restTaken')}</span> : null}</td>
                <td className="mono m2" title={b.value}>{b.value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function QualityPanel({ q }: { q: Quality }) {
  const { t } = useTranslation();
  const flaws = Object.entries(q.flaws).filter(([, n]) => n > 0);
  const flawName = (k: string) => (i18next.exists(`flaw.${k}`) ? t(`flaw.${k}`) : k.replaceAll('_', ' '));
  return (
    <Panel title={t('imports.quality')}>
      <div className="body grid2">
        <div className="col g8">
          <h3>{t('imports.filled')}</h3>
          {Object.entries(q.completeness).map(([field, c]) => (
            <div key={field} className="col g4">
              <div className="row t12"><span className="sp">{meaningName(field)}</span><span className="m2">{f.shareOf(c.filled, q.rows)}</span></div>
              <div className="bar" aria-hidden="true"><i style={{ width: `${c.permille / 10}%` }} /></div>
            </div>
          ))}
        </div>
        <div className="col g8">
          <h3>{t('imports.flaws')}</h3>
          <dl className="kv">
            <dt>{t('imports.dupEmails')}</dt><dd>{f.number(q.duplicate_emails)}</dd>
            <dt>{t('imports.dupPhones')}</dt><dd>{f.number(q.duplicate_phones)}</dd>
            {flaws.flatMap(([k, n]) => [<dt key={k}>{flawName(k)}</dt>, <dd key={`${k}n`}>{f.number(n)}</dd>])}
          </dl>
          {flaws.length === 0 && <span className="m2">{t('imports.noFlaws')}</span>}
        </div>
      </div>
    </Panel>
  );
}
