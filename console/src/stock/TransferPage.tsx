// Decision served: what of it leaves, what of it came, and what becomes of the rest?
import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton } from '../session/Guarded';
import { useMay } from '../session/session';
import { ErrorNote, PageHeader, Panel, Skeleton, When } from '../ui/base';
import * as f from '../ui/format';
import { IconArrowRight } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { say, sayError } from '../ui/toast';
import { Acts, Dialog } from './acts';
import { faultsOf, quantity } from './forms';
import { Amount, type Places, Qty, State, Steps, usePlaces } from './parts';
import { GOODS, type Transfer, transferQuery } from './query';

const route = getRouteApi('/transfers/$id');
type Rest = 'awaited' | 'lost' | 'back';

export default function TransferPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const transfer = useQuery(transferQuery(id));
  const places = usePlaces();
  const x = transfer.data;
  useTitle(t('transfer.no', { id }));
  const [cancelling, setCancelling] = useState(false);
  if (!x) return <div className="page">{transfer.error ? <ErrorNote error={transfer.error} retry={() => void transfer.refetch()} /> : <Skeleton rows={6} />}</div>;
  const steps = [t('transfer.state.requested'), t('transfer.state.in_transit'), t('transfer.state.received')];
  const at = { requested: 0, in_transit: 1, partly_received: 1, received: 2, cancelled: x.lines.some((l) => l.shipped > 0) ? 1 : 0 }[x.state] ?? 0;
  const open = !['received', 'cancelled'].includes(x.state);
  const day = x.expected_at ? t('transfer.by', { day: f.dayMonth(x.expected_at) }) : undefined;
  return (
    <div className="page">
      <PageHeader
        title={<span className="row g8 wrap-row">{t('transfer.no', { id: x.id })}</span>}
        titleTestId="transfer-name"
        badge={<span data-testid="transfer-state"><State of="transfer" state={x.state} /></span>}
        note={<span className="row g4">{places.name(x.from)}<IconArrowRight className="s m" aria-label={t('move.towards')} />{places.name(x.to)}</span>}
        actions={open ? <ActButton right="stock:write" variant="subtle" onClick={() => setCancelling(true)} data-testid="transfer-cancel">{t('transfer.cancel')}</ActButton> : undefined}
      />
      <div className="row g16 wrap-row"><Steps steps={steps} at={at} ended={x.state === 'cancelled' ? t('transfer.state.cancelled') : undefined} /><span className="t12 m2">{[day, x.reference, t('transfer.byWhom', { who: x.created_by })].filter(Boolean).join(' · ')} · <When at={x.updated_at} /></span></div>
      {x.note && <p className="m2">{x.note}</p>}
      <Work key={`${x.state}-${x.version}`} of={x} places={places} />
      {cancelling && <Cancel of={x} places={places} close={() => setCancelling(false)} />}
    </div>
  );
}

/** The lines, with fields where something is to be said about them. */
function Work({ of: x, places }: { of: Transfer; places: Places }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useMay('stock:write');
  const form = useRef<HTMLFormElement>(null);
  const ships = x.state === 'requested' && may;
  const takes = ['in_transit', 'partly_received'].includes(x.state) && may;
  const [came, setCame] = useState(x.lines.map((l) => String(ships ? l.requested : l.on_the_way)));
  const [broken, setBroken] = useState(x.lines.map(() => '0'));
  const [rest, setRest] = useState<Rest>('awaited');
  const [why, setWhy] = useState('');
  const put = (list: string[], i: number, v: string) => list.map((old, j) => (i === j ? v : old));
  const path = { params: { path: { id: x.id } } };
  const told = (after: Transfer, text: string) => {
    client.setQueryData(transferQuery(x.id).queryKey, after);
    void client.invalidateQueries({ queryKey: GOODS });
    say(text);
  };
  const ship = useMutation({
    mutationFn: () => must(api.POST('/api/v1/transfers/{id}/ship', { ...path, body: { quantities: came.map((v) => quantity(v) ?? 0) } })),
    onSuccess: (after) => told(after, t('transfer.shipped', { id: x.id })),
  });
  // Lines of which nothing is on the way have nothing to say.
  const asked = x.lines.map((l, line) => ({ l, line })).filter(({ l }) => l.on_the_way > 0);
  const receive = useMutation({
    mutationFn: () => must(api.POST('/api/v1/transfers/{id}/receive', { ...path, body: { lines: asked.map(({ line }) => ({ line, received: quantity(came[line]!) ?? 0, damaged: quantity(broken[line]!) ?? 0 })), rest, why: why.trim() } })),
    onSuccess: (after) => told(after, t('transfer.taken', { id: x.id })),
  });
  const faults = faultsOf(ship.error ?? receive.error, places.name);
  const bad = [...came, ...broken].some((v) => quantity(v) === null || (quantity(v) ?? -1) < 0);
  const lacks = takes ? asked.reduce((n, { l, line }) => n + l.on_the_way - (quantity(came[line]!) ?? 0) - (quantity(broken[line]!) ?? 0), 0) : 0;
  const onEnter = (i: number, kind: string) => {
    const next = form.current?.querySelector<HTMLInputElement>(`[data-testid="${kind}-${i + 1}"]`);
    (next ?? form.current?.querySelector<HTMLElement>('[type=submit]'))?.focus();
  };
  const errorOf = (i: number) => faults.at(`/lines/${i}/shipped`, `/lines/${asked.findIndex((a) => a.line === i)}/received`, `/lines/${i}`);
  const errors = x.lines.map((_, i) => errorOf(i));
  const whyError = faults.at('/why');
  const linesError = faults.at('/lines', '/rest');
  return (
    <form ref={form} className="col g16" noValidate onSubmit={(e) => { e.preventDefault(); if (!bad) (ships ? ship : receive).mutate(); }}>
      <Panel title={ships ? t('transfer.shipTitle') : takes ? t('transfer.takeTitle') : t('lines.title')} count={f.number(x.lines.length)}>
        <div className="tbl" role="group" aria-label={t('lines.title')} tabIndex={0}>
          <table style={{ minWidth: 760 }}>
            <colgroup><col />{[0, 1, 2, 3, 4].map((n) => <col key={n} style={{ width: 104 }} />)}{(ships || takes) && <col style={{ width: 120 }} />}{takes && <col style={{ width: 120 }} />}</colgroup>
            <thead>
              <tr>
                <th scope="col">{t('stock.sku')}</th>
                <th scope="col" className="r">{t('transfer.requested')}</th>
                <th scope="col" className="r">{t('transfer.left')}</th>
                <th scope="col" className="r">{t('transfer.received')}</th>
                <th scope="col" className="r">{t('stock.damaged')}</th>
                <th scope="col" className="r">{takes ? t('transfer.onTheWay') : t('transfer.lost')}</th>
                {ships && <th scope="col" className="r">{t('transfer.leaves')}</th>}
                {takes && <><th scope="col" className="r">{t('transfer.came')}</th><th scope="col" className="r">{t('transfer.cameDamaged')}</th></>}
              </tr>
            </thead>
            <tbody>
              {x.lines.map((l, i) => (
                <tr key={l.sku} className="row-data" data-testid="transfer-line">
                  <td style={{ height: 44 }}><span className="col"><Link to="/stock/$sku" params={{ sku: l.sku }} search={{}} className="plain b name mono el">{l.sku}</Link>{errors[i] ? <span className="error-text el" role="alert" title={errors[i]}>{errors[i]}</span> : l.why ? <span className="t12 m2 el" title={l.why}>{l.why}</span> : null}</span></td>
                  <td className="r"><Qty n={l.requested} /></td>
                  <td className="r"><Qty n={l.shipped} /></td>
                  <td className="r"><Qty n={l.received} strong /></td>
                  <td className="r"><Qty n={l.damaged} tone={l.damaged > 0 ? 'warn' : undefined} /></td>
                  <td className="r">{takes ? <Qty n={l.on_the_way} /> : <span title={l.returned > 0 ? t('transfer.returned', { n: f.number(l.returned) }) : undefined}><Qty n={l.lost} tone={l.lost > 0 ? 'bad' : undefined} />{l.returned > 0 && <span className="t12 m2"> · {t('transfer.returned', { n: f.number(l.returned) })}</span>}</span>}</td>
                  {ships && <td className="r"><Amount hidden label={t('transfer.leavesOf', { sku: l.sku })} value={came[i]!} onChange={(v) => setCame(put(came, i, v))} onEnter={() => onEnter(i, 'leaves')} testId={`leaves-${i}`} /></td>}
                  {takes && (l.on_the_way > 0 ? (
                    <>
                      <td className="r"><Amount hidden label={t('transfer.cameOf', { sku: l.sku })} value={came[i]!} onChange={(v) => setCame(put(came, i, v))} onEnter={() => onEnter(i, 'came')} testId={`came-${i}`} /></td>
                      <td className="r"><Amount hidden label={t('transfer.damagedOf', { sku: l.sku })} value={broken[i]!} onChange={(v) => setBroken(put(broken, i, v))} onEnter={() => onEnter(i, 'damaged')} testId={`damaged-${i}`} /></td>
                    </>
                  ) : <><td /><td /></>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Panel>
      {takes && lacks > 0 && (
        <section className="card" aria-label={t('transfer.rest', { n: f.number(lacks) })} data-testid="transfer-rest">
          <div className="body col g12" style={{ paddingTop: 12 }}>
            <h2>{t('transfer.rest', { n: f.number(lacks) })}</h2>
            <div className="row g12 wrap-row">
              <SegmentedControl value={rest} onChange={(v) => setRest(v as Rest)} aria-label={t('transfer.rest', { n: f.number(lacks) })} data={[{ value: 'awaited', label: t('transfer.awaited') }, { value: 'lost', label: t('transfer.isLost') }, { value: 'back', label: t('transfer.back') }]} />
              {rest === 'lost' && <TextInput aria-label={t('transfer.why')} placeholder={t('transfer.why')} value={why} error={whyError} maxLength={200} w={320} onChange={(e) => setWhy(e.currentTarget.value)} data-testid="transfer-why" />}
            </div>
          </div>
        </section>
      )}
      {linesError && <p className="error-text" role="alert">{linesError}</p>}
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      {(ships || takes) && (
        <div className="form-actions">
          {ships && <Button type="submit" loading={ship.isPending} disabled={bad} data-testid="transfer-ship">{t('transfer.ship')}</Button>}
          {takes && <Button type="submit" loading={receive.isPending} disabled={bad || lacks < 0} data-testid="transfer-receive">{t('transfer.receive')}</Button>}
          {takes && lacks < 0 && <span className="error-text" role="alert">{t('transfer.tooMuch', { n: f.number(-lacks) })}</span>}
        </div>
      )}
      {!may && !['received', 'cancelled'].includes(x.state) && <div className="form-actions"><ActButton right="stock:write" variant="default">{x.state === 'requested' ? t('transfer.ship') : t('transfer.receive')}</ActButton></div>}
    </form>
  );
}

function Cancel({ of: x, places, close }: { of: Transfer; places: Places; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const left = x.state !== 'requested';
  const [rest, setRest] = useState<Rest>('back');
  const [why, setWhy] = useState('');
  const cancel = useMutation({
    mutationFn: () => must(api.POST('/api/v1/transfers/{id}/cancel', { params: { path: { id: x.id } }, body: { rest: left ? rest : undefined, why: why.trim() } })),
    onSuccess: (after) => {
      client.setQueryData(transferQuery(x.id).queryKey, after);
      void client.invalidateQueries({ queryKey: GOODS });
      const again = left ? undefined : () => void must(api.POST('/api/v1/transfers', { body: { from: x.from, to: x.to, note: x.note, expected_at: x.expected_at, lines: x.lines.map((l) => ({ sku: l.sku, quantity: l.requested })) } })).then((made) => { void client.invalidateQueries({ queryKey: GOODS }); say(t('transfer.asked', { id: made.id, to: places.name(made.to) })); }, sayError);
      say(t('transfer.cancelled', { id: x.id }), again);
      close();
    },
  });
  const faults = faultsOf(cancel.error, places.name);
  const whyError = faults.at('/why');
  return (
    <Dialog title={t('transfer.cancelTitle', { id: x.id })} close={close} submit={() => cancel.mutate()}>
      <p className="m2">{left ? t('transfer.cancelLeft') : t('transfer.cancelText', { place: places.name(x.from) })}</p>
      {left && <SegmentedControl value={rest} onChange={(v) => setRest(v as Rest)} aria-label={t('transfer.restLabel')} data={[{ value: 'back', label: t('transfer.back') }, { value: 'lost', label: t('transfer.isLost') }]} />}
      <TextInput label={t('stock.reason')} value={why} maxLength={200} error={whyError} onChange={(e) => setWhy(e.currentTarget.value)} data-autofocus />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('transfer.cancelDo')} busy={cancel.isPending} close={close} testId="transfer-cancel-do" />
    </Dialog>
  );
}
