// Decision served: which company answers for which place, and what did it do?
import { Select, Switch, TextInput } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton, ActLink } from '../session/Guarded';
import { Acts, Dialog } from '../stock/acts';
import { dayStart, faultsOf } from '../stock/forms';
import { type Places, PlaceSelect, usePlaces } from '../stock/parts';
import { GOODS } from '../stock/query';
import { Badge, EmptyState, ErrorNote, PageHeader, Panel } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { say } from '../ui/toast';
import { CompanyTabs } from './parts';
import { type Entity, entitiesQuery, papersQuery } from './query';

const route = getRouteApi('/entities');

export default function EntitiesPage() {
  const { t } = useTranslation();
  useTitle(t('nav.entities'));
  const { create } = route.useSearch();
  const navigate = useNavigate({ from: '/entities' });
  const places = usePlaces();
  const list = useQuery(entitiesQuery);
  const papers = useInfiniteQuery(papersQuery);
  const [editing, setEditing] = useState<Entity | null>(null);
  const [placing, setPlacing] = useState<Entity | null>(null);
  const name = (id: string) => list.data?.items.find((e) => e.id === id)?.name ?? id;
  const rows = papers.data?.pages.flatMap((p) => p.items);
  return (
    <div className="page">
      <PageHeader title={t('nav.entities')} note={t('entity.note')} actions={<ActButton right="settings:write" onClick={() => void navigate({ search: { create: true } })} data-testid="entity-add">{t('entity.add')}</ActButton>} />
      <CompanyTabs at="entities" />
      <Panel title={t('entity.all')} count={list.data ? f.number(list.data.items.length) : undefined} query={list} empty={(d) => d.items.length === 0} emptyText={<EmptyState title={t('entity.none')}>{t('entity.noneText')}</EmptyState>}>
        {(d) => (
          <ul className="line-list body">
            {d.items.map((e) => (
              <li key={e.id} className="row wrap-row g12" style={{ padding: '10px 0', alignItems: 'flex-start' }} data-testid="entity-row">
                <span className="col sp" style={{ minWidth: 240 }}>
                  <span className="row g8"><span className="b">{e.name}</span><Badge tone={e.vat ? 'info' : undefined}>{e.vat ? t('entity.vat') : t('entity.noVat')}</Badge></span>
                  <span className="t12 m2 wrap">{[t(`entity.kind.${e.kind}`), e.code, e.iban].filter(Boolean).join(' · ')}</span>
                </span>
                <span className="col sp" style={{ minWidth: 200 }}>{e.places.filter((p) => !p.until).map((p) => <span key={p.location_id} className="t12">{places.name(p.location_id)} <span className="m2">{t('entity.since', { day: f.date(p.since) })}</span></span>)}{e.places.every((p) => p.until) && <span className="t12 m2">{t('entity.noPlaces')}</span>}</span>
                <span className="row g12"><ActLink right="settings:write" onClick={() => setPlacing(e)} data-testid="entity-place">{t('entity.place')}</ActLink><ActLink right="settings:write" onClick={() => setEditing(e)} data-testid="entity-change">{t('place.change')}</ActLink></span>
              </li>
            ))}
          </ul>
        )}
      </Panel>
      <Panel title={t('entity.papers')} query={{ ...papers, data: rows }} empty={(d) => d.length === 0} emptyText={<p className="body m2">{t('entity.noPapers')}</p>} testId="entity-papers">
        {(all) => (
          <div className="tbl" role="group" aria-label={t('entity.papers')} tabIndex={0}>
            <table style={{ minWidth: 720 }}>
              <colgroup><col /><col style={{ width: 200 }} /><col style={{ width: 120 }} /><col style={{ width: 96 }} /><col style={{ width: 136 }} /><col style={{ width: 136 }} /></colgroup>
              <thead><tr><th scope="col">{t('entity.who')}</th><th scope="col">{t('entity.with')}</th><th scope="col">{t('entity.side')}</th><th scope="col" className="r">{t('waiting.pieces')}</th><th scope="col" className="r">{t('entity.net')}</th><th scope="col" className="r">{t('col.when')}</th></tr></thead>
              <tbody>{all.map((p) => <tr key={`${p.id}${p.side}`} className="row-data" data-testid="paper-row"><td style={{ height: 40 }} className="b">{name(p.entity_id)}</td><td>{name(p.other_id)}</td><td>{t(`entity.side.${p.side}`, { defaultValue: p.side })}</td><td className="r">{f.number(p.quantity)}</td><td className="r">{p.net_minor == null ? <span className="m" title={t('cost.hidden')}>{f.NONE}</span> : f.money({ minor: p.net_minor, currency: p.currency })}</td><td className="r">{f.date(p.at)}</td></tr>)}</tbody>
            </table>
          </div>
        )}
      </Panel>
      {(editing || create) && <EntityForm key={editing?.id ?? ''} of={editing} close={() => { setEditing(null); if (create) void navigate({ search: {} }); }} />}
      {placing && <PlaceForm of={placing} places={places} close={() => setPlacing(null)} />}
    </div>
  );
}

function EntityForm({ of, close }: { of: Entity | null; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [e, set] = useState({ id: of?.id ?? '', kind: of?.kind ?? 'company', name: of?.name ?? '', code: of?.code ?? '', vat: of?.vat ?? false, vat_code: of?.vat_code ?? '', iban: of?.iban ?? '', address: of?.address ?? '', markup: String((of?.markup_permille ?? 0) / 10) });
  const change = (part: Partial<typeof e>) => set((old) => ({ ...old, ...part }));
  const markup = Number(e.markup.replace(',', '.'));
  const bad = !e.id.trim() || !e.name.trim() || !Number.isFinite(markup);
  const save = useMutation({
    mutationFn: () => must(api.PUT('/api/v1/legal-entities/{id}', { params: { path: { id: e.id.trim() } }, body: { kind: e.kind, name: e.name.trim(), code: e.code.trim(), vat: e.vat, vat_code: e.vat_code.trim(), iban: e.iban.replace(/\s/g, ''), address: e.address.trim(), markup_permille: Math.round(markup * 10) } })),
    onSuccess: (x) => { void client.invalidateQueries({ queryKey: GOODS }); say(t('entity.saved', { name: x.name })); close(); },
  });
  const faults = faultsOf(save.error, (x) => x);
  const at = Object.fromEntries(['id', 'kind', 'name', 'code', 'vat_code', 'iban', 'address', 'markup_permille'].map((k) => [k, faults.at(`/${k}`)]));
  const field = (k: 'id' | 'name' | 'code' | 'vat_code' | 'iban' | 'address', more = {}) => <TextInput label={t(`entity.f.${k}`)} value={e[k]} error={at[k]} onChange={(x) => change({ [k]: x.currentTarget.value })} data-testid={`entity-${k}`} {...more} />;
  return (
    <Dialog title={of ? t('entity.change', { name: of.name }) : t('entity.add')} close={close} submit={() => { if (!bad) save.mutate(); }}>
      {field('name', { 'data-autofocus': true })}
      <div className="grid2">
        <Select label={t('entity.f.kind')} allowDeselect={false} value={e.kind} error={at.kind} onChange={(v) => v && change({ kind: v })} data={['company', 'sole_trader', 'franchisee'].map((k) => ({ value: k, label: t(`entity.kind.${k}`) }))} />
        {field('id', { disabled: Boolean(of) })}
      </div>
      <div className="grid2">{field('code')}{field('iban')}</div>
      <Switch label={t('entity.vat')} checked={e.vat} onChange={(x) => change({ vat: x.currentTarget.checked })} />
      {e.vat && field('vat_code')}
      {field('address')}
      <TextInput label={t('entity.f.markup')} description={t('entity.markupHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} inputMode="decimal" value={e.markup} error={at.markup_permille} onChange={(x) => change({ markup: x.currentTarget.value })} />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('save')} busy={save.isPending} disabled={bad} close={close} testId="entity-do" />
    </Dialog>
  );
}

function PlaceForm({ of, places, close }: { of: Entity; places: Places; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [at, setAt] = useState('');
  const [day, setDay] = useState('');
  const save = useMutation({
    mutationFn: () => must(api.POST('/api/v1/legal-entities/{id}/locations', { params: { path: { id: of.id } }, body: { location_id: at, since: dayStart(day) } })),
    onSuccess: () => { void client.invalidateQueries({ queryKey: GOODS }); say(t('entity.placed', { place: places.name(at), name: of.name })); close(); },
  });
  const faults = faultsOf(save.error, places.name);
  const error = { at: faults.at('/location_id'), day: faults.at('/since') };
  return (
    <Dialog title={t('entity.placeTitle', { name: of.name })} close={close} submit={() => at && save.mutate()}>
      <p className="m2">{t('entity.placeText')}</p>
      <PlaceSelect label={t('stock.place')} value={at} onChange={setAt} places={places} error={error.at} testId="entity-place-at" />
      <TextInput type="date" label={t('entity.from')} value={day} error={error.day} w={200} onChange={(e) => setDay(e.currentTarget.value)} />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('entity.place')} busy={save.isPending} disabled={!at} close={close} testId="entity-place-do" />
    </Dialog>
  );
}
