// Decision served: what should we know of every customer that nobody sends us?
import { Button, Modal, Select, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Problem } from '../api/problem';
import type { ComputedTrait } from '../api/types';
import { computedName, computedText } from '../customers/Computed';
import { HouseholdSwitch } from '../customers/Household';
import { ActButton, ActLink } from '../session/Guarded';
import { Badge, EmptyState, ErrorNote, InlineError, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconPlus } from '../ui/icons';
import { say, sayError } from '../ui/toast';

type Kind = ComputedTrait['kind'];
const EXAMPLES = [
  'sum("Order Completed".total in last 90 days)',
  'sum("Order Completed".total) / count("Order Completed")',
  'distinct("Product Viewed".category in last 30 days)',
  'last("Order Completed".store_id)',
];

/** Traits that the shop defines itself. */
export function Traits() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [editing, setEditing] = useState<ComputedTrait | 'new' | null>(null);
  const traits = useQuery({
    queryKey: ['computed-traits'],
    queryFn: () => must(api.GET('/api/v1/computed-traits')),
    refetchInterval: (q) => (q.state.data?.items.some((x) => x.state === 'filling') ? 2000 : false),
  });
  const archive = useMutation({
    mutationFn: (x: ComputedTrait) => must(api.DELETE('/api/v1/computed-traits/{id}', { params: { path: { id: x.id } } })),
    onSuccess: (_d, x) => {
      void client.invalidateQueries({ queryKey: ['computed-traits'] });
      say(t('traits.archived', { name: x.name }));
    },
    onError: sayError,
  });
  const columns = useMemo<Column<ComputedTrait>[]>(
    () => [
      { id: 'name', header: t('field.name'), meta: { width: 240 }, cell: ({ row: { original: x } }) => <span className="col"><b className="el">{computedName(x)}</b><span className="t12 m mono el">trait.{x.name}</span></span> },
      { id: 'expression', header: t('traits.expression'), cell: ({ row: { original: x } }) => <code className="mono el" title={x.expression}>{x.expression}</code> },
      { id: 'state', header: t('traits.state'), meta: { width: 130 }, cell: ({ row: { original: x } }) => (x.state === 'live' ? <Badge tone="good">{t('traits.live')}</Badge> : <Badge tone="warn">{t('traits.filling', { n: f.number(Math.round(x.progress * 100)) })}</Badge>) },
      { id: 'segments', header: t('nav.segments'), meta: { width: 160 }, cell: ({ row: { original: x } }) => <span className="m2 el" title={x.segments.join(', ')}>{x.segments.length ? x.segments.join(', ') : f.NONE}</span> },
      { id: 'changed', header: t('traits.changed'), meta: { width: 130 }, cell: ({ row: { original: x } }) => <When at={x.updated_at} className="m2" /> },
      {
        id: 'act',
        header: () => <span className="hidden-text">{t('traits.edit')}</span>,
        meta: { right: true, width: 170 },
        cell: ({ row: { original: x } }) => <span className="row g12" style={{ justifyContent: 'flex-end' }}><ActLink right="settings:write" onClick={() => setEditing(x)}>{t('traits.edit')}</ActLink><ActLink right="settings:write" onClick={() => archive.mutate(x)}>{t('traits.archive')}</ActLink></span>,
      },
    ],
    [t],
  );
  return (
    <>
      <PageHeader title={t('settings.traits')} actions={<ActButton right="settings:write" leftSection={<IconPlus />} onClick={() => setEditing('new')} data-testid="trait-new">{t('traits.add')}</ActButton>} />
      <p className="m2">{t('traits.help')}</p>
      <div className="card scroll"><DataTable label={t('settings.traits')} rows={traits.data?.items} columns={columns} rowId={(x) => x.id} error={traits.error} retry={() => void traits.refetch()} empty={<EmptyState title={t('traits.none')}>{t('traits.noneText')}</EmptyState>} /></div>
      <div className="card body"><HouseholdSwitch /></div>
      {editing && <Editor trait={editing === 'new' ? null : editing} close={() => setEditing(null)} />}
    </>
  );
}

function Editor({ trait, close }: { trait: ComputedTrait | null; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState(trait?.name ?? '');
  const [title, setTitle] = useState(trait?.title ?? '');
  const [expression, setExpression] = useState(trait?.expression ?? '');
  const [kind, setKind] = useState<Kind>(trait?.kind ?? 'number');
  const [asked] = useDebouncedValue(expression, 400);
  const preview = useQuery({
    queryKey: ['trait-preview', asked, kind],
    queryFn: () => must(api.POST('/api/v1/computed-traits/preview', { body: { expression: asked, kind } })),
    enabled: asked.trim() !== '',
    placeholderData: keepPreviousData,
    retry: false,
  });
  const save = useMutation({
    mutationFn: () => {
      const body = { name, title, expression, kind };
      return trait ? must(api.PUT('/api/v1/computed-traits/{id}', { params: { path: { id: trait.id }, header: undefined }, body })) : must(api.POST('/api/v1/computed-traits', { body }));
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['computed-traits'] });
      say(t('traits.saved', { name }));
      close();
    },
  });
  const wrong = preview.error instanceof Problem && preview.error.code === 'bad_expression' ? (preview.error.errors[0]?.detail ?? preview.error.detail) : null;
  const found = !preview.error && asked.trim() !== '' ? preview.data : undefined;
  return (
    <Modal opened onClose={close} title={trait ? t('traits.editing', { name: trait.name }) : t('traits.add')} size={640} closeButtonProps={{ 'aria-label': t('close') }}>
      <form className="fields" onSubmit={(e) => { e.preventDefault(); save.mutate(); }}>
        <TextInput label={t('field.name')} description={t('traits.nameHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} required withAsterisk={false} data-testid="trait-name" />
        <TextInput label={t('traits.title')} value={title} onChange={(e) => setTitle(e.currentTarget.value)} />
        <Select label={t('traits.kind')} allowDeselect={false} value={kind} onChange={(v) => setKind((v ?? 'number') as Kind)} data={[{ value: 'number', label: t('traits.number') }, { value: 'text', label: t('traits.text') }, { value: 'bool', label: t('traits.bool') }]} />
        <div className="expr col g4">
          <Textarea label={t('traits.expression')} autosize minRows={2} spellCheck={false} value={expression} onChange={(e) => setExpression(e.currentTarget.value)} error={Boolean(wrong)} required withAsterisk={false} data-testid="trait-expression" />
          <div aria-live="polite" style={{ minHeight: 20 }}>{wrong ? <InlineError>{wrong}</InlineError> : preview.error ? <ErrorNote error={preview.error} retry={() => void preview.refetch()} /> : null}</div>
          {!expression && <div className="row" style={{ flexWrap: 'wrap' }}>{EXAMPLES.map((x) => <button key={x} type="button" className="chip mono" onClick={() => { setExpression(x); setKind(x.startsWith('last') ? 'text' : 'number'); }}>{x}</button>)}</div>}
        </div>
        {found && (
          <section aria-label={t('traits.preview')} data-testid="trait-preview">
            <p className="m2">{t('traits.knownOf', { n: f.number(found.known), of: f.number(found.of) })}{found.average != null && found.least != null && found.greatest != null ? ` · ${t('traits.range', { least: computedText(found.least) ?? '', greatest: computedText(found.greatest) ?? '', average: computedText(found.average) ?? '' })}` : ''}</p>
            <ul className="line-list">
              {found.sample.slice(0, 5).map((x) => (
                <li key={x.customer.person_id} className="row g12">
                  <Link className="sp el" to="/customers/$id" params={{ id: x.customer.person_id }} search={{}}>{x.customer.name ?? x.customer.email ?? x.customer.person_id}</Link>
                  <span className="b">{computedText(x.value as unknown) ?? f.NONE}</span>
                </li>
              ))}
            </ul>
          </section>
        )}
        {save.error && <ErrorNote error={save.error} kept={t('error.formKept')} />}
        <div className="row" style={{ justifyContent: 'flex-end' }}>
          <Button variant="subtle" type="button" onClick={close}>{t('cancel')}</Button>
          <Button type="submit" loading={save.isPending} disabled={!name || !found} data-testid="trait-save">{t('traits.save')}</Button>
        </div>
      </form>
    </Modal>
  );
}
