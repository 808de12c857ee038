// What colleagues wrote about a customer, and the files that they put to it.
import { ActionIcon, Button, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, contact, must } from '../api/client';
import { problemOf } from '../api/problem';
import type { components } from '../api/schema';
import { useRight } from '../session/rights';
import { ErrorNote, Panel, When } from '../ui/base';
import * as f from '../ui/format';
import { IconNote, IconPaperclip, IconPencil, IconTrash } from '../ui/icons';
import { say, sayError } from '../ui/toast';

type Note = components['schemas']['Note'];
type CustomerFile = components['schemas']['CustomerFile'];

export function Notes({ id }: { id: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useRight('customers:write');
  const notes = useQuery({ queryKey: ['notes', id], queryFn: () => must(api.GET('/api/v1/customers/{person_id}/notes', { params: { path: { person_id: id } } })).then((r) => r.items) });
  const [open, setOpen] = useState<'new' | string | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: ['notes', id] });
  const path = (note: string) => ({ params: { path: { person_id: id, id: note } } });
  const save = useMutation({
    mutationFn: ({ note, text }: { note: string | null; text: string }) =>
      note ? must(api.PUT('/api/v1/customers/{person_id}/notes/{id}', { ...path(note), body: { text } })) : must(api.POST('/api/v1/customers/{person_id}/notes', { params: { path: { person_id: id } }, body: { text } })),
    onSuccess: async () => {
      await refresh();
      setOpen(null);
    },
  });
  const remove = useMutation({
    mutationFn: (n: Note) => must(api.DELETE('/api/v1/customers/{person_id}/notes/{id}', path(n.id))),
    onSuccess: (_, n) => {
      void refresh();
      say(t('notes.deleted'), () => save.mutate({ note: n.id, text: n.text }));
    },
    onError: sayError,
  });
  return (
    <Panel title={t('notes.title')} count={notes.data?.length || undefined} query={notes} testId="notes" right={may && open !== 'new' && <button type="button" className="chip" onClick={() => setOpen('new')} data-testid="note-new"><IconNote className="s" />{t('notes.new')}</button>}>
      {(list) => (
        <div className="body col g8">
          {open === 'new' && <Editor busy={save.isPending} error={save.error} save={(text) => save.mutate({ note: null, text })} close={() => setOpen(null)} label={t('notes.new')} act={t('notes.add')} />}
          {list.length === 0 && open !== 'new' && <p className="m2">{t('notes.empty')}</p>}
          <ul className="line-list">
            {list.map((n) => (
              <li key={n.id} className="tr" data-testid="note">
                {open === n.id ? (
                  <Editor start={n.text} busy={save.isPending} error={save.error} save={(text) => save.mutate({ note: n.id, text })} close={() => setOpen(null)} label={t('notes.edit')} act={t('notes.save')} />
                ) : (
                  <>
                    <p className="wrap" style={{ whiteSpace: 'pre-wrap' }}>{n.text}</p>
                    <div className="row t12 m">
                      <span className="sp el">{n.author} · <When at={n.created_at} />{n.changed_at && ` · ${t('notes.changed', { when: f.ago(n.changed_at) })}`}</span>
                      {n.may_change && <ActionIcon className="small" aria-label={t('notes.edit')} onClick={() => setOpen(n.id)}><IconPencil className="s" /></ActionIcon>}
                      {n.may_change && <ActionIcon className="small" aria-label={t('notes.delete')} onClick={() => remove.mutate(n)} data-testid="note-delete"><IconTrash className="s" /></ActionIcon>}
                    </div>
                  </>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Panel>
  );
}

function Editor({ start = '', save, close, busy, error, label, act }: { start?: string; save: (text: string) => void; close: () => void; busy: boolean; error: unknown; label: string; act: string }) {
  const { t } = useTranslation();
  const [text, setText] = useState(start);
  return (
    <form className="col g8" onSubmit={(e) => { e.preventDefault(); if (text.trim()) save(text); }}>
      <Textarea autoFocus aria-label={label} autosize minRows={2} maxRows={10} maxLength={5000} value={text} onChange={(e) => setText(e.currentTarget.value)} onKeyDown={(e) => { if (e.code === 'Escape') { e.stopPropagation(); close(); } else if (e.code === 'Enter' && (e.ctrlKey || e.metaKey) && text.trim()) save(text); }} data-testid="note-text" />
      {error != null && <ErrorNote error={error} kept={t('error.formKept')} />}
      <div className="form-actions">
        <Button type="submit" variant="default" disabled={!text.trim()} loading={busy} rightSection={<kbd>Ctrl Enter</kbd>} data-testid="note-save">{act}</Button>
        <Button variant="subtle" onClick={close}>{t('cancel')}</Button>
      </div>
    </form>
  );
}

const LARGEST = 5 << 20;

export function Files({ id }: { id: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useRight('customers:write');
  const files = useQuery({ queryKey: ['files', id], queryFn: () => must(api.GET('/api/v1/customers/{person_id}/files', { params: { path: { person_id: id } } })).then((r) => r.items) });
  const input = useRef<HTMLInputElement>(null);
  const refresh = () => client.invalidateQueries({ queryKey: ['files', id] });
  const add = useMutation({
    mutationFn: async (file: File) => {
      const answer = await fetch(`/api/v1/customers/${encodeURIComponent(id)}/files?name=${encodeURIComponent(file.name)}`, {
        method: 'POST',
        body: file,
        headers: { 'content-type': file.type || 'application/octet-stream', 'x-braid-csrf': '1' },
        credentials: 'same-origin',
      });
      contact.at = Date.now();
      if (!answer.ok) throw problemOf(await answer.json().catch(() => null), answer.status);
      return (await answer.json()) as CustomerFile;
    },
    onSuccess: (file) => {
      void refresh();
      say(t('files.added', { name: file.name }));
    },
    onError: sayError,
  });
  const remove = useMutation({
    mutationFn: (file: CustomerFile) => must(api.DELETE('/api/v1/customers/{person_id}/files/{id}', { params: { path: { person_id: id, id: file.id } } })),
    onSuccess: (_, file) => {
      void refresh();
      say(t('files.deleted', { name: file.name }));
    },
    onError: sayError,
  });
  const take = (list: FileList | null) => {
    for (const file of list ?? []) {
      if (file.size > LARGEST) sayError(new Error(t('files.tooLarge', { name: file.name })));
      else add.mutate(file);
    }
  };
  return (
    <Panel
      title={t('files.title')}
      count={files.data?.length || undefined}
      query={files}
      testId="files"
      right={
        may && (
          <>
            <input ref={input} type="file" hidden multiple onChange={(e) => { take(e.currentTarget.files); e.currentTarget.value = ''; }} data-testid="file-input" />
            <button type="button" className="chip" disabled={add.isPending} onClick={() => input.current?.click()}><IconPaperclip className="s" />{t('files.add')}</button>
          </>
        )
      }
    >
      {(list) =>
        list.length === 0 ? (
          <p className="body m2">{t('files.empty')}</p>
        ) : (
          <ul className="body line-list">
            {list.map((x) => (
              <li key={x.id} className="row" style={{ minHeight: 40 }} data-testid="file">
                <IconPaperclip className="s m" />
                <a className="plain b el sp name" href={`/api/v1/customers/${encodeURIComponent(id)}/files/${encodeURIComponent(x.id)}`} download={x.name}>{x.name}</a>
                <span className="t12 m nw">{t('format.kb', { n: f.number(Math.max(1, Math.round(x.size / 1024))) })}</span>
                <When at={x.created_at} className="t12 m nw" />
                {may && <ActionIcon className="small" aria-label={t('files.delete', { name: x.name })} onClick={() => remove.mutate(x)}><IconTrash className="s" /></ActionIcon>}
              </li>
            ))}
          </ul>
        )
      }
    </Panel>
  );
}
