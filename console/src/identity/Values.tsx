import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import i18next from 'i18next';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { components } from '../api/schema';
import { identifierName, identifierText } from '../customers/timeline';
import { ActButton, ActLink } from '../session/Guarded';
import { Badge, EmptyState, ErrorNote, Panel, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconPlus } from '../ui/icons';
import type { PasteSpec } from '../ui/tables/PasteRows';
import { plain } from '../ui/tables/tsv';
import { useRight } from '../session/rights';
import { say, sayError } from '../ui/toast';
import { type BlockMode, blockedQuery, rulesQuery, type Suspect, suspectsQuery } from './query';

type Blocked = components['schemas']['BlockedValue'];
type Value = { kind: string; value: string };
const modeName = (m: BlockMode) => ({ block: i18next.t('blocked.mode.block'), pattern: i18next.t('blocked.mode.pattern'), demote: i18next.t('blocked.mode.demote') })[m];
const kindName = (k: string) => (k === '*' ? i18next.t('blocked.anyKind') : identifierName(k));

/** Keeps a value out or lets it in again; each takes the other back. */
function useBlocking() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const refresh = () => ['identity-suspects', 'identity-blocked', 'identity-rules', 'home'].forEach((k) => void client.invalidateQueries({ queryKey: [k] }));
  const release = (v: Value) => must(api.DELETE('/api/v1/identity/blocked', { params: { query: v } }));
  const put = (v: Value & { mode: BlockMode; reason: string }) => must(api.POST('/api/v1/identity/blocked', { body: v }));
  const block = useMutation({
    mutationFn: put,
    onSuccess: (_d, v) => {
      refresh();
      say(v.mode === 'demote' ? t('blocked.demoted', { value: v.value }) : t('blocked.done', { value: v.value }), () => void release(v).then(refresh, sayError));
    },
  });
  const free = useMutation({
    mutationFn: (b: Blocked) => release({ kind: b.kind, value: b.value }),
    onSuccess: (_d, b) => {
      refresh();
      say(t('blocked.freed', { value: b.value }), () => void put({ kind: b.kind, value: b.value, mode: b.mode, reason: b.reason }).then(refresh, sayError));
    },
    onError: sayError,
  });
  return { block, free, refresh };
}

export function Suspects() {
  const { t } = useTranslation();
  const suspects = useQuery(suspectsQuery);
  const { block, refresh } = useBlocking();
  const dismiss = useMutation({
    mutationFn: (s: Suspect) => must(api.POST('/api/v1/identity/suspects/dismiss', { body: { kind: s.kind, value: s.value } })),
    onSuccess: (_d, s) => {
      refresh();
      say(t('suspects.dismissed', { value: s.value }));
    },
    onError: sayError,
  });
  const busy = block.isPending || dismiss.isPending;
  return (
    <Panel title={t('identity.tab.suspects')} count={suspects.data?.items.length || undefined} query={suspects} empty={(x) => x.items.length === 0} emptyText={<EmptyState title={t('suspects.empty')}>{t('suspects.emptyText')}</EmptyState>}>
      {(x) => (
        <ul className="body line-list">
          {x.items.map((s) => (
            <li key={s.kind + s.value} className="row g12 wrap-row" style={{ padding: '10px 0' }} data-testid="suspect">
              <div className="col sp g4" style={{ minWidth: 240 }}>
                <span className="row"><span className="b el" title={s.value}>{identifierText(s)}</span><Badge>{identifierName(s.kind)}</Badge></span>
                <span className="m2">{t('suspects.seen', { count: s.others, n: f.number(s.others), kind: identifierName(s.other_kind), profiles: f.number(s.profiles) })}</span>
                <span className="t12 m">
                  {t('suspects.span', { first: f.ago(s.first_at), last: f.ago(s.last_at) })}
                  {s.examples.slice(0, 3).map((e) => (
                    <span key={e.seq}>{' · '}<Link className="plain name" to="/customers/$id" params={{ id: e.profile_id }} search={{}}>{identifierText({ kind: e.other_kind, value: e.other_value })}</Link></span>
                  ))}
                </span>
              </div>
              <ActButton right="identity:write" variant="default" disabled={busy} onClick={() => block.mutate({ kind: s.kind, value: s.value, mode: 'block', reason: t('suspects.reason') }, { onError: sayError })} data-testid="suspect-block">{t('suspects.block')}</ActButton>
              <ActButton right="identity:write" variant="subtle" disabled={busy} onClick={() => block.mutate({ kind: s.kind, value: s.value, mode: 'demote', reason: t('suspects.reason') }, { onError: sayError })}>{t('suspects.demote')}</ActButton>
              <ActButton right="identity:write" variant="subtle" disabled={busy} onClick={() => dismiss.mutate(s)} data-testid="suspect-dismiss">{t('suspects.dismiss')}</ActButton>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

export function KeptOut() {
  const { t } = useTranslation();
  const blocked = useInfiniteQuery(blockedQuery);
  const rules = useQuery(rulesQuery);
  const rows = useMemo(() => blocked.data?.pages.flatMap((p) => p.items), [blocked.data]);
  const { block, free, refresh } = useBlocking();
  const [adding, setAdding] = useState(false);
  const [kind, setKind] = useState('phone');
  const [mode, setMode] = useState<BlockMode>('block');
  const [value, setValue] = useState('');
  const [reason, setReason] = useState('');
  const kinds = [...new Set(['*', 'phone', 'email', 'user_id', 'anonymous_id', ...(rules.data?.kinds.map((k) => k.kind) ?? [])])];
  const columns = useMemo<Column<Blocked>[]>(
    () => [
      { id: 'value', header: t('blocked.value'), meta: { width: '26%' }, cell: ({ row: { original: b } }) => <span className="b" title={b.value}>{identifierText(b)}</span> },
      { id: 'kind', header: t('blocked.kind'), meta: { width: 130 }, cell: ({ row: { original: b } }) => kindName(b.kind) },
      { id: 'mode', header: t('blocked.mode'), meta: { width: 170 }, cell: ({ row: { original: b } }) => <Badge tone={b.mode === 'demote' ? 'warn' : 'bad'}>{modeName(b.mode)}</Badge> },
      { id: 'reason', header: t('col.reason'), cell: ({ row: { original: b } }) => <span className="m2" title={b.reason}>{b.reason || f.NONE}</span> },
      { id: 'when', header: t('col.when'), meta: { width: 120 }, cell: ({ row: { original: b } }) => <span title={b.actor}><When at={b.at} className="m2" /></span> },
      { id: 'profiles', header: t('merge.profiles'), meta: { right: true, width: 92 }, cell: ({ row: { original: b } }) => f.number(b.profiles) },
      { id: 'act', header: () => <span className="hidden-text">{t('blocked.free')}</span>, meta: { right: true, width: 110, title: t('blocked.free') }, cell: ({ row: { original: b } }) => <ActLink right="identity:write" onClick={() => free.mutate(b)}>{t('blocked.free')}</ActLink> },
    ],
    [t, free],
  );
  const may = useRight('identity:write');
  const words: Record<string, BlockMode> = Object.fromEntries((['block', 'pattern', 'demote'] as const).flatMap((m) => [[m, m], [plain(modeName(m)), m]]));
  const kindOf = (text: string) => kinds.find((k) => k === text || plain(kindName(k)) === plain(text)) ?? text.toLowerCase();
  const paste: PasteSpec = {
    title: t('blocked.paste'),
    help: t('blocked.pasteHelp'),
    required: ['value'],
    fields: [
      { id: 'value', name: t('blocked.value'), also: ['value', 'значення', 'телефон', 'phone', 'пошта', 'email'] },
      { id: 'kind', name: t('blocked.kind'), also: ['kind', 'вид', 'тип', 'type'] },
      { id: 'mode', name: t('blocked.mode'), also: ['mode', 'режим'] },
      { id: 'reason', name: t('col.reason'), also: ['reason', 'причина', 'підстава'] },
    ],
    check: (r) => (r.mode && !words[plain(r.mode)] ? t('pasterows.oneOf', { list: (['block', 'pattern', 'demote'] as const).map(modeName).join(', ') }) : null),
    name: (r) => r.value ?? '',
    add: (r) => must(api.POST('/api/v1/identity/blocked', { body: { kind: r.kind ? kindOf(r.kind) : r.value?.includes('@') ? 'email' : 'phone', value: r.value ?? '', mode: words[plain(r.mode ?? '')] ?? 'block', reason: r.reason || t('blocked.pasted') } })),
    undo: (r, made) => must(api.DELETE('/api/v1/identity/blocked', { params: { query: { kind: (made as { kind?: string } | undefined)?.kind ?? (r.kind ? kindOf(r.kind) : r.value?.includes('@') ? 'email' : 'phone'), value: (made as { value?: string } | undefined)?.value ?? r.value ?? '' } } })),
    done: refresh,
  };
  return (
    <>
      <div className="card scroll">
        <header><h2>{t('identity.tab.values')}</h2><span className="sp" /><ActLink right="identity:write" onClick={() => setAdding(true)}><IconPlus className="s" /> {t('blocked.add')}</ActLink></header>
        <DataTable paste={may ? paste : null} tools={{ name: 'blocked-values' }} label={t('identity.tab.values')} rows={rows} columns={columns} rowId={(b) => `${b.kind}:${b.value}`} error={blocked.error} retry={() => void blocked.refetch()} more={{ has: blocked.hasNextPage, busy: blocked.isFetchingNextPage, fetch: () => void blocked.fetchNextPage() }} empty={<EmptyState title={t('blocked.empty')}>{t('blocked.emptyText')}</EmptyState>} maxHeight="60vh" />
        {rules.data && <p className="body t12 m2">{t('blocked.builtIn', { list: rules.data.built_in.join(' · ') })}</p>}
      </div>
      <Modal opened={adding} onClose={() => setAdding(false)} title={t('blocked.add')} size={480} closeButtonProps={{ 'aria-label': t('close') }}>
        <form className="fields" onSubmit={(e) => { e.preventDefault(); block.mutate({ kind, value: value.trim(), mode, reason }, { onSuccess: () => { setAdding(false); setValue(''); setReason(''); } }); }}>
          <Select label={t('blocked.kind')} value={kind} onChange={(v) => v && setKind(v)} data={kinds.map((k) => ({ value: k, label: kindName(k) }))} />
          <TextInput data-autofocus label={t('blocked.value')} value={value} onChange={(e) => setValue(e.currentTarget.value)} required withAsterisk={false} />
          <Select label={t('blocked.mode')} value={mode} onChange={(v) => v && setMode(v as BlockMode)} data={(['block', 'pattern', 'demote'] as const).map((m) => ({ value: m, label: modeName(m) }))} />
          <TextInput label={t('col.reason')} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
          {block.error && <ErrorNote error={block.error} kept={t('error.formKept')} />}
          <div className="form-actions"><Button type="submit" loading={block.isPending} disabled={!value.trim()}>{t('blocked.add')}</Button><Button variant="subtle" onClick={() => setAdding(false)}>{t('cancel')}</Button></div>
        </form>
      </Modal>
    </>
  );
}
