// Money on its way back: where each sum stands and what is done when a bank refuses.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { word } from '../orders/parts';
import { ActButton } from '../session/Guarded';
import { Panel, When } from '../ui/base';
import * as f from '../ui/format';
import { say, sayError } from '../ui/toast';
import { CreditForm, SettleForm, WhyForm } from './acts';
import { AfterBadge } from './parts';
import { AFTER, type Refund } from './query';

type What = 'settle' | 'fail' | 'retry' | 'credit';
const STEPS: Record<string, What[]> = { pending: ['settle', 'fail'], failed: ['retry', 'settle', 'credit'] };

/** Where a refund comes from, as a link: `return:7` or `claim:7`. */
export function Cause({ of }: { of: string }) {
  const { t } = useTranslation();
  const [kind, id] = of.split(':');
  if (kind === 'return' && id) return <Link to="/returns/$id" params={{ id }} className="inline-link">{t('return.name.return', { id })}</Link>;
  if (kind === 'claim' && id) return <Link to="/returns/claims/$id" params={{ id }} className="inline-link">{t('claim.no', { id })}</Link>;
  return <span className="m2">{of}</span>;
}

export function RefundActs({ of: r }: { of: Refund }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [open, setOpen] = useState<What | null>(null);
  const done = (what: What) => {
    void client.invalidateQueries({ queryKey: AFTER });
    say(t(`refund.did.${what}`, { sum: f.money(r.amount) }));
    setOpen(null);
  };
  const params = { params: { path: { id: r.id } } };
  const retry = useMutation({ mutationFn: () => must(api.POST('/api/v1/refunds/{id}/retry', params)), onSuccess: () => done('retry'), onError: sayError });
  return (
    <>
      {(STEPS[r.state] ?? []).map((what, i) => (
        <ActButton key={what} right="orders:write" size="compact-sm" variant={i === 0 ? 'default' : 'subtle'} loading={what === 'retry' && retry.isPending} onClick={() => (what === 'retry' ? retry.mutate() : setOpen(what))} data-testid={`refund-${what}-${r.id}`}>{t(`refund.do.${what}`)}</ActButton>
      ))}
      {open === 'settle' && <SettleForm sum={f.money(r.amount)} send={(external_id) => must(api.POST('/api/v1/refunds/{id}/settle', { ...params, body: { external_id } }))} close={() => setOpen(null)} done={() => done('settle')} />}
      {open === 'fail' && <WhyForm title={t('refund.failTitle', { sum: f.money(r.amount) })} text={t('refund.failText')} act={t('refund.do.fail')} example={t('refund.failExample')} send={(why) => must(api.POST('/api/v1/refunds/{id}/fail', { ...params, body: { why } }))} close={() => setOpen(null)} done={() => done('fail')} />}
      {open === 'credit' && <CreditForm sum={f.money(r.amount)} send={() => must(api.POST('/api/v1/refunds/{id}/credit', { ...params, body: { agreed: true } }))} close={() => setOpen(null)} done={() => done('credit')} />}
    </>
  );
}

export function Refunds({ title, of }: { title: string; of: Refund[] }) {
  const { t } = useTranslation();
  if (of.length === 0) return null;
  return (
    <Panel title={title} count={f.number(of.length)} testId="refunds">
      <ul className="line-list body">
        {of.map((r) => (
          <li key={r.id} className="row wrap-row g12" style={{ padding: '8px 0' }} data-testid="refund">
            <span className="col sp"><span className="b">{f.money(r.amount)} · {word('provider', r.provider)}</span><span className="t12 m2">{t('refund.asked')} <When at={r.at} />{r.settled_at ? <> · {t('refund.settled')} <When at={r.settled_at} /></> : null}{r.why ? ` · ${r.why}` : ''}</span></span>
            <AfterBadge of="mstate" state={r.state} />
            <RefundActs of={r} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}
