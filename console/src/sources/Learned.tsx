import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { EmptyState, Panel, When } from '../ui/base';
import * as f from '../ui/format';

/** What a source was seen to send: names, kinds and shapes, never values. */
export function Learned({ id }: { id: string }) {
  const { t } = useTranslation();
  const learned = useQuery({ queryKey: ['learned', id], queryFn: () => must(api.GET('/api/v1/sources/{id}/learned', { params: { path: { id } } })), refetchInterval: 15_000 });
  const [open, setOpen] = useState<string | null>(null);
  return (
    <Panel title={t('source.learned')} count={learned.data ? f.number(learned.data.items.length) : undefined} query={learned} empty={(l) => l.items.length === 0} emptyText={<EmptyState title={t('learned.emptyTitle')}>{t('learned.emptyText')}</EmptyState>}>
      {(l) => (
        <div className="tbl" tabIndex={0} role="group" aria-label={t('source.learned')}>
          <table>
            <thead><tr><th scope="col" style={{ width: '34%' }}>{t('learned.name')}</th><th scope="col">{t('learned.kinds')}</th><th scope="col">{t('learned.shape')}</th><th scope="col" className="r" style={{ width: 120 }}>{t('learned.count')}</th><th scope="col" className="r" style={{ width: 130 }}>{t('drift.last')}</th></tr></thead>
            {l.items.map((e) => (
              <tbody key={e.event}>
                <tr>
                  <td style={{ height: 40 }}><button type="button" className="textlink b" aria-expanded={open === e.event} onClick={() => setOpen(open === e.event ? null : e.event)}>{e.event || t('learned.others')}</button></td>
                  <td className="m2">{t('learned.properties', { count: e.properties.length, n: f.number(e.properties.length) })}</td><td /><td className="r">{f.number(e.count)}</td><td className="r"><When at={e.last_at} className="m2" /></td>
                </tr>
                {open === e.event && e.properties.map((p) => (
                  <tr key={p.name}><td style={{ height: 32, paddingLeft: 32 }} className="mono">{p.name}</td><td>{p.kinds}</td><td className="mono m2">{p.shape}</td><td className="r m2">{f.number(p.count)}</td><td className="r"><When at={p.last_at} className="m2" /></td></tr>
                ))}
              </tbody>
            ))}
          </table>
        </div>
      )}
    </Panel>
  );
}
