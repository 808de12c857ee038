// Decision served: does every place that should send events send them, and how do I add one?
import { ActionIcon, Button, Modal, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { Source } from '../api/types';
import { ActButton } from '../session/Guarded';
import { useRight } from '../session/rights';
import { CopyButton, EmptyState, ErrorNote, None, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconDatabase, IconPlus, IconServer, IconUpload, IconWorld, IconX } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';

const route = getRouteApi('/sources');
const icons = { browser: IconWorld, server: IconServer, import: IconUpload, system: IconDatabase };

export default function SourcesPage() {
  const { t } = useTranslation();
  useTitle(t('nav.sources'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/sources' });
  const may = useRight('sources:write');
  const sources = useQuery({ queryKey: ['sources'], queryFn: () => must(api.GET('/api/v1/sources')), refetchInterval: 15_000 });
  const [key, setKey] = useState<{ id: string; key: string } | null>(null);
  const create = () => void navigate({ search: { create: true } });
  useShortcut('KeyC', create, { enabled: may });
  const rows = sources.data?.items;
  const selected = rows?.find((s) => s.id === search.sel);
  const beside = Boolean(selected);
  const kindName: Record<string, string> = { browser: t('source.browser'), server: t('source.server'), import: t('source.import'), system: t('source.system') };
  const columns = useMemo<Column<Source>[]>(
    () => [
      {
        id: 'name',
        header: t('col.name'),
        meta: { width: '28%' },
        cell: ({ row: { original: s } }) => {
          const Icon = icons[s.kind];
          return <span className="row g12"><span className="av"><Icon className="s" /></span><span className="b el">{s.name}</span></span>;
        },
      },
      { id: 'kind', header: t('source.kind'), cell: ({ row: { original: s } }) => kindName[s.kind] },
      ...(beside ? [] : [{ id: 'key', header: t('source.key'), cell: ({ row: { original: s } }: { row: { original: Source } }) => (s.write_key_prefix ? <span className="mono">{s.write_key_prefix}…</span> : <None why={t('source.noKey')} />) }]),
      { id: 'events', header: t('source.events'), meta: { right: true, width: 120 }, cell: ({ row: { original: s } }) => <Link className="plain b" to="/live" search={{ source: s.id }}>{f.number(s.events_24h)}</Link> },
      { id: 'rejected', header: t('source.rejected'), meta: { right: true, width: 120 }, cell: ({ row: { original: s } }) => (s.rejected_24h ? <Link className="bad-text" to="/live" search={{ source: s.id, status: 'rejected' }}>{f.number(s.rejected_24h)}</Link> : <span className="m">0</span>) },
      { id: 'last', header: t('col.lastEvent'), meta: { right: true, width: 124 }, cell: ({ row: { original: s } }) => (s.last_event_at ? <When at={s.last_event_at} className="m2" /> : <span className="m">{t('source.never')}</span>) },
    ],
    [t, beside],
  );
  return (
    <div className="page fill">
      <PageHeader title={t('nav.sources')} note={rows ? f.number(rows.length) : undefined} actions={<ActButton right="sources:write" leftSection={<IconPlus />} rightSection={<kbd>C</kbd>} onClick={create} data-testid="source-create">{t('action.source')}</ActButton>} />
      <div className={`ld${selected ? '' : ' solo'}`} style={selected ? { gridTemplateColumns: 'minmax(0,1fr) 480px' } : undefined}>
        <div className="card scroll">
          <DataTable
            tools={{ name: 'sources' }} label={t('nav.sources')}
            rows={rows}
            columns={columns}
            rowId={(s) => s.id}
            selected={search.sel ?? null}
            onSelect={(id) => void navigate({ search: { sel: id ?? undefined }, replace: true })}
            onOpen={(s) => void navigate({ to: '/sources/$id', params: { id: s.id } })}
            rowTestId="source-row"
            error={sources.error}
            retry={() => void sources.refetch()}
            empty={<EmptyState title={t('sources.emptyTitle')} action={<ActButton right="sources:write" leftSection={<IconPlus />} onClick={create}>{t('action.source')}</ActButton>}>{t('sources.emptyText')}</EmptyState>}
          />
        </div>
        {selected && <Detail key={selected.id} source={selected} shownKey={key?.id === selected.id ? key.key : null} onKey={(k) => setKey({ id: selected.id, key: k })} close={() => void navigate({ search: {} })} />}
      </div>
      {search.create && may && (
        <Create
          close={() => void navigate({ search: {} })}
          done={(s) => {
            if (s.write_key) setKey({ id: s.id, key: s.write_key });
            void navigate({ search: { sel: s.id } });
          }}
        />
      )}
    </div>
  );
}

function Create({ close, done }: { close: () => void; done: (s: Source) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [kind, setKind] = useState<string | null>('browser');
  const create = useMutation({
    mutationFn: () => must(api.POST('/api/v1/sources', { body: { name, kind: kind as 'browser' | 'server' | 'import' } })),
    onSuccess: async (s) => {
      await client.invalidateQueries({ queryKey: ['sources'] });
      done(s);
    },
  });
  return (
    <Modal opened onClose={close} title={t('action.newSource')} size={480} closeButtonProps={{ 'aria-label': t('close') }}>
      <form
        className="fields"
        onSubmit={(e) => {
          e.preventDefault();
          create.mutate();
        }}
      >
        <TextInput label={t('field.name')} placeholder={t('source.nameExample')} data-autofocus required withAsterisk={false} value={name} onChange={(e) => setName(e.currentTarget.value)} />
        <Select label={t('source.kind')} value={kind} onChange={setKind} data={[{ value: 'browser', label: t('source.browserLong') }, { value: 'server', label: t('source.serverLong') }, { value: 'import', label: t('source.importLong') }]} />
        {create.error && <ErrorNote error={create.error} kept={t('error.formKept')} />}
        <div className="form-actions">
          <Button type="submit" variant="default" loading={create.isPending}>{t('source.create')}</Button>
          <Button variant="subtle" onClick={close}>{t('cancel')}</Button>
        </div>
      </form>
    </Modal>
  );
}

function Detail({ source: s, shownKey, onKey, close }: { source: Source; shownKey: string | null; onKey: (k: string) => void; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const rotate = useMutation({
    mutationFn: () => must(api.POST('/api/v1/sources/{id}/rotate', { params: { path: { id: s.id } } })),
    onSuccess: (r) => {
      if (r.write_key) onKey(r.write_key);
      void client.invalidateQueries({ queryKey: ['sources'] });
    },
  });
  const [asking, setAsking] = useState(false);
  return (
    <aside className="card detail" aria-label={s.name}>
      <div className="row"><h2 className="sp el"><Link className="plain name" to="/sources/$id" params={{ id: s.id }}>{s.name}</Link></h2><ActionIcon aria-label={t('close')} onClick={close}><IconX /></ActionIcon></div>
      {shownKey && (
        <div className="notice warn" role="status">
          <div className="col sp g8">
            <span className="b">{t('source.keyOnce')}</span>
            <code className="mono wrap" data-testid="write-key">{shownKey}</code>
            <span className="t12 m2">{t('source.keyOnceText')}</span>
          </div>
          <CopyButton text={shownKey} label={t('copy')} />
        </div>
      )}
      <dl className="kv">
        <dt>{t('source.created')}</dt><dd>{f.date(s.created_at)}</dd>
        <dt>{t('source.events')}</dt><dd>{f.number(s.events_24h)}</dd>
        <dt>{t('source.rejected')}</dt><dd>{f.number(s.rejected_24h)}</dd>
      </dl>
      <Link to="/sources/$id" params={{ id: s.id }} data-testid="source-open">{t('source.open')}</Link>
      {s.kind !== 'system' && <Snippets writeKey={shownKey ?? `${s.write_key_prefix ?? ''}…`} kind={s.kind} />}
      {s.kind !== 'system' && (
        <div className="sepr col g8">
          {asking ? (
            <>
              <p className="m2">{t('source.rotateText', { name: s.name })}</p>
              <div className="form-actions">
                <Button variant="default" className="danger" loading={rotate.isPending} onClick={() => { setAsking(false); rotate.mutate(); }}>{t('source.rotateDo')}</Button>
                <Button variant="subtle" onClick={() => setAsking(false)}>{t('cancel')}</Button>
              </div>
            </>
          ) : (
            <ActButton right="sources:write" variant="default" style={{ alignSelf: 'flex-start' }} onClick={() => setAsking(true)}>{t('source.rotate')}</ActButton>
          )}
          {rotate.error && <ErrorNote error={rotate.error} />}
        </div>
      )}
    </aside>
  );
}

/** What a developer pastes. The key is in it only while it is still on the screen. */
export function Snippets({ writeKey, kind }: { writeKey: string; kind: string }) {
  const { t } = useTranslation();
  const [tab, setTab] = useState(kind === 'browser' ? 'js' : 'curl');
  const origin = location.origin;
  const code: Record<string, string> = {
    js: `<script>
!function(w,d,h){var b=w.braid=w.braid||[];if(b.version||b.load)return;
"load page track screen identify group alias cart consent reset ready flush".split(" ").forEach(function(m){b[m]=function(){b.push([m,arguments,+new Date]);return b}});
var s=d.createElement("script");s.async=1;s.src=h+"/braid.js";d.head.appendChild(s);
b.load("${writeKey}",{host:h});b.page()}(window,document,"${origin}");
</script>`,
    curl: `curl ${origin}/v1/track \\\n  -u "${writeKey}:" \\\n  -H "content-type: application/json" \\\n  -d '{\n    "userId": "c-1042",\n    "event": "Order Completed",\n    "properties": {"order_id": "31902", "total": 2486.00, "currency": "UAH"}\n  }'`,
    till: `curl ${origin}/v1/track \\\n  -u "${writeKey}:" \\\n  -H "content-type: application/json" \\\n  -d '{\n    "messageId": "till-2-184233",\n    "event": "Order Completed",\n    "context": {"traits": {"phone": "+380671234567"}},\n    "properties": {\n      "order_id": "184233", "store": "Lviv, Horodotska", "total": 2486.00, "currency": "UAH",\n      "products": [{"sku": "HM-200220", "name": "Khmara", "quantity": 1, "price": 1249.00}]\n    }\n  }'`,
  };
  return (
    <div className="sepr col g8">
      <div className="row">
        <h3 className="sp">{t('source.connect')}</h3>
        <SegmentedControl value={tab} onChange={setTab} aria-label={t('source.connect')} data={[{ value: 'js', label: 'braid.js' }, { value: 'curl', label: 'curl' }, { value: 'till', label: t('source.till') }]} />
      </div>
      <pre className="code soft" tabIndex={0} role="region" aria-label={t('source.connect')}>{code[tab]}</pre>
      <div className="row"><span className="t12 m2 sp">{tab === 'till' ? t('source.tillHelp') : t('source.help')}</span><CopyButton text={code[tab] ?? ''} label={t('copy')} /></div>
    </div>
  );
}
