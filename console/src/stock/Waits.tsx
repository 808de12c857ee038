// Who waits for the goods of a purchase order: how much of each line is promised, and the orders whose promise moved.
import { TextInput } from '@mantine/core';
import { useMutation, useQueries, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Badge, ErrorNote, Panel } from '../ui/base';
import * as f from '../ui/format';
import { say, sayError } from '../ui/toast';
import { Acts, Dialog } from './acts';
import { dayStart, faultsOf } from './forms';
import { Owner } from './Owner';
import { PART_TONE, useChanges } from './Promises';
import { claimOnOrderQuery, supplyQuery } from './promises';
import { GOODS, type Purchase } from './query';

/** So many claims are looked at for one order; the rest is in the list of promises. */
const LOOKED = 40;

export default function Waits({ of: o }: { of: Purchase }) {
  const { t } = useTranslation();
  const skus = useMemo(() => [...new Set(o.lines.map((l) => l.sku))], [o.lines]);
  const supplies = useQueries({ queries: skus.map(supplyQuery) });
  const free = (sku: string, line: number): number | undefined => {
    const found = supplies[skus.indexOf(sku)]?.data;
    return found && (found.items.find((s) => s.purchase_order_id === o.id && s.line === line)?.free ?? 0);
  };
  const { rows } = useChanges();
  const ids = useMemo(() => [...new Set((rows ?? []).map((c) => c.claim_id))].slice(0, LOOKED), [rows]);
  const claims = useQueries({ queries: ids.map(claimOnOrderQuery) });
  const parts = claims.flatMap((c) => (c.data?.parts ?? []).filter((p) => p.purchase_order_id === o.id).map((p) => ({ ...p, owner: c.data!.owner, claim: c.data!.id })));
  const error = supplies.find((s) => s.error);
  const q = (n: number) => f.number(Math.round(n * 1000) / 1000);
  return (
    <Panel title={t('ahead.waits')} right={<Link to="/purchases" search={{ tab: 'promises' }}>{t('ahead.allChanges')}</Link>} testId="waits">
      {error ? <div className="body"><ErrorNote error={error.error} retry={() => void error.refetch()} /></div> : (
        <div className="tbl" role="group" aria-label={t('ahead.waits')} tabIndex={0}>
          <table style={{ minWidth: 640 }}>
            <colgroup><col style={{ width: 200 }} />{[0, 1, 2].map((n) => <col key={n} style={{ width: 104 }} />)}<col /></colgroup>
            <thead><tr><th scope="col">{t('stock.sku')}</th><th scope="col" className="r">{t('purchase.awaited')}</th><th scope="col" className="r">{t('ahead.promised')}</th><th scope="col" className="r">{t('ahead.free')}</th><th scope="col">{t('ahead.known')}</th></tr></thead>
            <tbody>
              {o.lines.map((l, i) => {
                const left = free(l.sku, i);
                const promised = left === undefined ? undefined : Math.max(0, l.awaited - left);
                const known = parts.filter((p) => p.sku === l.sku);
                return (
                  <tr key={i} className="row-data" data-testid="waits-line">
                    <td style={{ height: 44 }}><Link to="/stock/$sku" params={{ sku: l.sku }} search={{}} className="plain b name mono el">{l.sku}</Link></td>
                    <td className="r">{q(l.awaited)}</td>
                    <td className="r">{promised === undefined ? f.NONE : <span className={promised > 0 ? 'b' : 'm'}>{q(promised)}</span>}</td>
                    <td className="r">{left === undefined ? f.NONE : q(left)}</td>
                    <td style={{ whiteSpace: 'normal' }}>
                      {known.length === 0 ? <span className="m2 t12">{promised ? t('ahead.onlySum') : t('ahead.nobody')}</span> : (
                        <span className="col g4" style={{ padding: '6px 0' }}>{known.map((p, n) => <span key={n} className="row g8" data-testid="waits-for"><Owner of={p.owner} /><span className="m2">{q(p.quantity)}</span><Badge tone={PART_TONE[p.state]}>{t(`ahead.state.${p.state}`, { defaultValue: p.state })}</Badge><Link to="/purchases" search={{ tab: 'promises', claim: p.claim }} className="t12">{t('ahead.claimNo', { id: p.claim })}</Link></span>)}</span>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

/** The supplier says another day: whoever was promised goods of it is promised anew. */
export function ExpectForm({ of: o, close }: { of: Purchase; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [day, setDay] = useState(o.expected_at ? f.dayKey(o.expected_at) : '');
  const put = (at: string | null) => must(api.PUT('/api/v1/purchase-orders/{id}/expected', { params: { path: { id: o.id } }, body: { expected_at: at } }));
  const fresh = () => client.invalidateQueries({ queryKey: GOODS });
  const save = useMutation({
    mutationFn: () => put(dayStart(day) ?? null),
    onSuccess: (after) => {
      void fresh();
      say(after.expected_at ? t('ahead.expectedNow', { id: o.id, day: f.date(after.expected_at) }) : t('ahead.expectedUnknown', { id: o.id }), () => void put(o.expected_at ?? null).then(fresh, sayError));
      close();
    },
  });
  const faults = faultsOf(save.error, (x) => x);
  const at = faults.at('/expected_at');
  return (
    <Dialog title={t('ahead.expect')} close={close} submit={() => save.mutate()}>
      <p className="m2">{t('ahead.expectText')}</p>
      <TextInput type="date" label={t('transfer.expected')} description={t('ahead.expectHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={day} error={at} w={220} onChange={(e) => setDay(e.currentTarget.value)} data-autofocus data-testid="expect-day" />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('ahead.expectDo')} busy={save.isPending} close={close} testId="expect-do" />
    </Dialog>
  );
}
